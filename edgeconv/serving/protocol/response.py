"""Writes the answer to a request for inference: JSON, and behind it the bytes of outputs that were wanted so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError
from edgeconv.serving.protocol.binary_strings import as_bytes
from edgeconv.serving.protocol.classification import best_classes
from edgeconv.serving.protocol.datatypes import BYTES, name_of
from edgeconv.serving.protocol.request import InferenceRequest, WantedOutput

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class InferenceAnswer:
    """What the model answered, and whose answer it is.

    Attributes:
        model: its name.
        version: of it.
        outputs: arrays by name, in the order of the contract.
        labels: names of the classes of the first output, or none.
    """

    model: str
    version: str
    outputs: Mapping[str, NDArray[Any]]
    labels: Sequence[str]


def write_answer(answer: InferenceAnswer, request: InferenceRequest) -> tuple[bytes, int | None]:
    """Return the body of an answer, and how many of its bytes are JSON where others follow.

    Raises:
        InputError: an output is asked for that there is not, or in a form that it cannot have.
    """
    first = next(iter(answer.outputs))
    wanted = request.outputs or tuple(WantedOutput(name) for name in answer.outputs)
    listed, parts = [], []
    for output in wanted:
        array = answer.outputs[output.name]
        strings = best_classes(array, output, answer.labels if output.name == first else ()) if output.classes else None
        shape = list(array.shape if strings is None else strings.shape)
        datatype = name_of(array.dtype) if strings is None else BYTES
        row: dict[str, Any] = {"name": output.name, "datatype": datatype, "shape": shape}
        if request.binary if output.binary is None else output.binary:
            part = np.ascontiguousarray(array).tobytes() if strings is None else as_bytes(strings.ravel().tolist())
            row["parameters"] = {"binary_data_size": len(part)}
            parts.append(part)
        elif strings is not None:
            row["data"] = [string.decode() for string in strings.ravel().tolist()]
        else:
            row["data"] = _numbers(output.name, array)
        listed.append(row)
    head: dict[str, Any] = {"model_name": answer.model, "model_version": answer.version, "outputs": listed}
    if request.id is not None:
        head["id"] = request.id
    text = _ENCODER.encode(head)
    return (b"".join([text, *parts]), len(text)) if parts else (text, None)


def _numbers(name: str, array: NDArray[Any]) -> list[Any]:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(
            f"`{name}` must be finite to be told in JSON. Received: NaN or infinity. Ask for it with `binary_data`."
        )
    numbers: list[Any] = array.ravel().tolist()
    return numbers
