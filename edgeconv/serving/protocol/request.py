"""Reads a request for inference: JSON, and behind it the bytes of its tensors.

https://github.com/kserve/open-inference-protocol, and Triton's extensions for binary tensors and classification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Annotated, Any, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError
from edgeconv.serving.protocol.binary_strings import bytes_in
from edgeconv.serving.protocol.datatypes import BYTES, NUMPY
from edgeconv.serving.protocol.json_tensors import numbers_of_json, strings_of_json

Tensor = NDArray[Any] | list[bytes]
"""An array, or the strings of a tensor of BYTES, row by row."""

MOST_AXES = 32

MOST_ELEMENTS = 2**40
"""Of a tensor, axes of size 0 left out: more fit into no request, and products of sizes into no array's."""

MOST_TENSORS = 1024
"""Of a request, in and out."""

MOST_LETTERS = 256
"""Of a request's own id."""

LONGEST_KEPT = 1024
"""Bytes of the JSON before binary tensors that is kept as it was read: a client sends the same one again and again."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
_NOTHING = msgspec.Raw()


class _Parameters(msgspec.Struct, frozen=True):
    binary_data_size: _Count | None = None
    binary_data: bool | None = None
    binary_data_output: bool | None = None
    classification: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    shared_memory_region: msgspec.Raw = _NOTHING


class _Input(msgspec.Struct, frozen=True):
    name: str
    shape: Annotated[list[_Count], msgspec.Meta(max_length=MOST_AXES)]
    datatype: str
    data: msgspec.Raw = _NOTHING
    parameters: _Parameters | None = None


class _Output(msgspec.Struct, frozen=True):
    name: str
    parameters: _Parameters | None = None


class _Request(msgspec.Struct, frozen=True):
    """What a request may say; all else is passed over unread, so that it takes no memory."""

    inputs: Annotated[list[_Input], msgspec.Meta(max_length=MOST_TENSORS)]
    id: Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)] | None = None
    outputs: Annotated[list[_Output], msgspec.Meta(max_length=MOST_TENSORS)] = []
    parameters: _Parameters | None = None


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """An output that was asked for.

    Attributes:
        name: of the output.
        binary: whether as bytes behind the JSON; None where the request leaves it to its `binary_data_output`.
        classes: how many classes of it, best first, instead of its numbers; 0 for the numbers.
    """

    name: str
    binary: bool | None = None
    classes: int = 0


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request for inference.

    Attributes:
        id: that the answer repeats, or None.
        inputs: tensors by name.
        outputs: those that were asked for; none asks for all.
        binary: whether outputs come as bytes where it isn't said otherwise.
    """

    id: str | None
    inputs: Mapping[str, Tensor]
    outputs: tuple[WantedOutput, ...]
    binary: bool


def read_request(body: bytes, header_length: int | None = None) -> InferenceRequest:
    """Read a request.

    Args:
        body: of the HTTP request.
        header_length: how many bytes of it are JSON, the header `Inference-Header-Content-Length`; None: all.

    Raises:
        InputError: it is no such request, or its tensors and their bytes do not fit together.
    """
    if header_length is None:
        header_length = len(body)
    elif not 0 <= header_length <= len(body):
        _refuse(
            "`Inference-Header-Content-Length` of at most the body's length", header_length, "Count the JSON's bytes"
        )
    text, behind = body[:header_length], memoryview(body)[header_length:]
    read = _kept if behind and header_length <= LONGEST_KEPT else _read
    request, outputs = read(text)
    inputs: dict[str, Tensor] = {}
    place = 0
    for given in request.inputs:
        size = None if given.parameters is None else given.parameters.binary_data_size
        if size is None:
            inputs[given.name] = _of_json(given)
            continue
        if size > len(behind) - place:
            _refuse(f"`binary_data_size` of `{given.name}` within the body", size, "Send the JSON's length in a header")
        inputs[given.name] = tensor_of(given.name, given.shape, given.datatype, behind[place : place + size])
        place += size
    if len(inputs) < len(request.inputs):
        _refuse("each input once", ", ".join(given.name for given in request.inputs), "Leave one out")
    if place != len(behind):
        _refuse("as many bytes as `binary_data_size` of all inputs says", f"{len(behind)} for {place}", "Send as many")
    binary = request.parameters is not None and bool(request.parameters.binary_data_output)
    return InferenceRequest(request.id, inputs, outputs, binary)


def _read(text: bytes) -> tuple[_Request, tuple[WantedOutput, ...]]:
    """Return what the JSON of a request says, its outputs apart."""
    try:
        request = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _refuse("JSON as `/openapi.json` describes it", error, "Send tensors as bytes behind it, with their header")
    ends: list[_Input | _Output] = [*request.inputs, *request.outputs]
    if any(one.parameters is not None and one.parameters.shared_memory_region is not _NOTHING for one in ends):
        _refuse("tensors in the request", "a region of shared memory, which this server has not", "Send the bytes")
    outputs = tuple(_wanted(one.name, one.parameters or _NO_PARAMETERS) for one in request.outputs)
    names = [output.name for output in outputs]
    if len(set(names)) < len(names):
        _refuse("each output once", ", ".join(names), "Leave one out")
    return request, outputs


_DECODER = msgspec.json.Decoder(_Request)
_NO_PARAMETERS = _Parameters()
_kept = lru_cache(maxsize=256)(_read)


def _wanted(name: str, parameters: _Parameters) -> WantedOutput:
    return WantedOutput(name, parameters.binary_data, parameters.classification or 0)


def _of_json(given: _Input) -> Tensor:
    check_form(given.name, given.shape, given.datatype)
    if given.datatype == BYTES:
        return strings_of_json(given.name, bytes(given.data), prod(given.shape))
    return numbers_of_json(given.name, bytes(given.data), NUMPY[given.datatype], given.shape)


def tensor_of(name: str, shape: Sequence[int], datatype: str, content: memoryview) -> Tensor:
    """Return a tensor of its bytes, little-endian.

    Raises:
        InputError: they are not as many as its shape and datatype say.
    """
    check_form(name, shape, datatype)
    if datatype == BYTES:
        return bytes_in(name, content, prod(shape))
    dtype = NUMPY[datatype]
    size = prod(shape) * dtype.itemsize
    if size != len(content):
        _refuse(f"{size} bytes of `{name}`, {datatype} {list(shape)}", len(content), "Send as many")
    array = np.frombuffer(content, dtype).reshape(shape)
    if not array.flags.aligned:
        array = array.copy()
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        _refuse(f"bytes 0 and 1 of `{name}`, BOOL", int(array.view(np.uint8).max()), "Send these")
    return array


def check_form(name: str, shape: Sequence[int], datatype: str) -> None:
    """Raise InputError where a tensor has a shape or a datatype that none can have."""
    if len(shape) > MOST_AXES or min(shape, default=0) < 0:
        _refuse(f"`shape` of `{name}` as a list of sizes", list(shape), "Leave none open")
    if prod(size for size in shape if size) > MOST_ELEMENTS:
        _refuse(f"`shape` of `{name}` of at most {MOST_ELEMENTS:,} elements", list(shape), "Send its own sizes")
    if datatype != BYTES and datatype not in NUMPY:
        _refuse(f"`datatype` of `{name}` as one of {', '.join(NUMPY)}, {BYTES}", datatype, "Name one of these")


def _refuse(required: str, received: object, advice: str) -> NoReturn:
    raise InputError(f"A request requires {required}. Received: {str(received)[:100]}. {advice}.")
