"""Reads a request for inference: JSON, and behind it the bytes of its tensors.

https://github.com/kserve/open-inference-protocol, and Triton's extensions for binary tensors and classification.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError
from edgeconv.serving.protocol.datatypes import BYTES, NUMPY
from edgeconv.serving.protocol.elements import bytes_in, bytes_of_json, numbers_of_json

Tensor = NDArray[Any] | list[bytes]
"""An array, or the strings of a tensor of BYTES, row by row."""

MOST_AXES = 32

MOST_ELEMENTS = 2**40
"""Of a tensor, axes of size 0 left out: more fit into no request, and products of sizes into no array's."""


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
    if header_length is not None and not 0 <= header_length <= len(body):
        _refuse(
            "`Inference-Header-Content-Length` of at most the body's length", header_length, "Count the JSON's bytes"
        )
    text = body if header_length is None else body[:header_length]
    try:
        request = _DECODER.decode(text.decode())
    except (ValueError, RecursionError) as error:
        _refuse("a request in JSON", str(error)[:100], "Send tensors as bytes behind it, with their header")
    if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
        _refuse("an object with the list `inputs`", type(request).__name__, "Give each input its name, shape, datatype")
    behind = memoryview(body)[len(text) :]
    inputs: dict[str, Tensor] = {}
    place = 0
    for given in request["inputs"]:
        name, tensor, size = _tensor(given, behind[place:])
        if name in inputs:
            _refuse("each input once", name, "Leave one out")
        inputs[name] = tensor
        place += size
    if place != len(behind):
        _refuse("as many bytes as `binary_data_size` of all inputs says", f"{len(behind)} for {place}", "Send as many")
    parameters = _parameters(request)
    identity = request.get("id")
    if identity is not None and not (isinstance(identity, str) and len(identity) <= MOST_LETTERS):
        _refuse(f"`id` as a string of at most {MOST_LETTERS} letters", identity, "Shorten it")
    return InferenceRequest(identity, inputs, _outputs(request), _flag(parameters, "binary_data_output") or False)


MOST_LETTERS = 256
"""Of a request's own id."""


def _tensor(given: Any, behind: memoryview) -> tuple[str, Tensor, int]:
    """Return an input's name, what it holds, and how many bytes of `behind` those are."""
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        _refuse("inputs with a `name`", given, "Give each input its name, shape and datatype")
    name: str = given["name"]
    shape: Any = given.get("shape")
    datatype: Any = given.get("datatype")
    size = _parameters(given).get("binary_data_size")
    if size is None:
        _check_form(name, shape, datatype)
        data, count = given.get("data"), prod(shape)
        if datatype == BYTES:
            return name, bytes_of_json(name, data, count), 0
        return name, numbers_of_json(name, data, NUMPY[datatype], shape), 0
    if type(size) is not int or not 0 <= size <= len(behind):
        _refuse(f"`binary_data_size` of `{name}` within the body", size, "Send the header with the JSON's length")
    return name, tensor_of(name, shape, datatype, behind[:size]), size


def tensor_of(name: str, shape: list[int], datatype: str, content: memoryview) -> Tensor:
    """Return a tensor of its bytes, little-endian.

    Raises:
        InputError: they are not as many as its shape and datatype say.
    """
    _check_form(name, shape, datatype)
    if datatype == BYTES:
        return bytes_in(name, content, prod(shape))
    dtype = NUMPY[datatype]
    if prod(shape) * dtype.itemsize != len(content):
        wanted = f"{prod(shape) * dtype.itemsize} bytes of `{name}`, {datatype} {shape}"
        _refuse(wanted, len(content), "Send as many")
    array = np.frombuffer(content, dtype).reshape(shape)
    if not array.flags.aligned:
        array = array.copy()
    if dtype.kind == "b" and array.size and array.view(np.uint8).max() > 1:
        _refuse(f"bytes 0 and 1 of `{name}`, BOOL", int(array.view(np.uint8).max()), "Send these")
    return array


def _check_form(name: str, shape: Any, datatype: Any) -> None:
    if not isinstance(shape, list) or len(shape) > MOST_AXES or not all(type(n) is int and n >= 0 for n in shape):
        _refuse(f"`shape` of `{name}` as a list of sizes", shape, "Leave none open")
    if prod(size for size in shape if size) > MOST_ELEMENTS:
        _refuse(f"`shape` of `{name}` of at most {MOST_ELEMENTS:,} elements", shape, "Send the sizes that it has")
    if not isinstance(datatype, str) or (datatype != BYTES and datatype not in NUMPY):
        _refuse(f"`datatype` of `{name}` as one of {', '.join(NUMPY)}, {BYTES}", datatype, "Name one of these")


def _outputs(request: Mapping[str, Any]) -> tuple[WantedOutput, ...]:
    listed = request.get("outputs", [])
    if not isinstance(listed, list):
        _refuse("`outputs` as a list", listed, "Leave it out for all outputs")
    found = []
    for wanted in listed:
        if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str):
            _refuse("outputs with a `name`", wanted, "Leave `outputs` out for all")
        parameters = _parameters(wanted)
        classes = parameters.get("classification", 0)
        if type(classes) is not int or not 0 <= classes < 2**31:
            _refuse("`classification` as a number of classes", classes, "Leave it out for the numbers")
        found.append(WantedOutput(wanted["name"], _flag(parameters, "binary_data"), classes))
    if len({wanted.name for wanted in found}) < len(found):
        _refuse("each output once", ", ".join(wanted.name for wanted in found), "Leave one out")
    return tuple(found)


def _parameters(given: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = given.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        _refuse("`parameters` as an object", parameters, "Leave them out")
    if _SHARED in parameters:
        _refuse("tensors in the request", "a region of shared memory, which this server has not", "Send the bytes")
    return parameters


_SHARED = "shared_memory_region"


def _flag(parameters: Mapping[str, Any], name: str) -> bool | None:
    value = parameters.get(name)
    if value is not None and type(value) is not bool:
        _refuse(f"`{name}` as true or false", value, "Leave it out")
    return value


def _refuse(required: str, received: object, advice: str) -> NoReturn:
    raise InputError(f"A request requires {required}. Received: {str(received)[:100]}. {advice}.")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text}, which is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)
