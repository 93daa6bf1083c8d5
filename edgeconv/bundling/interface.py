"""What a bundle's model takes and answers: the arrays in and out of the file that its program runs."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

from edgeconv.errors import ArtifactError
from edgeconv.manifest import Manifest
from edgeconv.preparation import Preparation
from edgeconv.tasks import THRESHOLD_TASKS

ANSWERS = ("classes", "tags", "yes-no", "values", "mask")
"""Tasks whose answers to a picture a bundle explains; those of any other are arrays."""

ARRAYS = "arrays"

DTYPES = {
    "tensor(float)": ("float32", 1),
    "tensor(uint8)": ("uint8", 2),
    "tensor(int8)": ("int8", 3),
    "tensor(uint16)": ("uint16", 4),
    "tensor(int16)": ("int16", 5),
    "tensor(int32)": ("int32", 6),
    "tensor(int64)": ("int64", 7),
    "tensor(bool)": ("bool", 9),
    "tensor(float16)": ("float16", 10),
    "tensor(double)": ("float64", 11),
    "tensor(uint32)": ("uint32", 12),
    "tensor(uint64)": ("uint64", 13),
}
"""ONNX Runtime's names of types: numpy's, and the number that ONNX has for it (`TensorProto.DataType` of onnx.proto),
which is that of ONNX Runtime's C API (`ONNXTensorElementDataType`) too."""

CODES = dict(DTYPES.values())
"""ONNX' numbers of types by numpy's names."""


@dataclass(frozen=True)
class BundleArray:
    """An array that goes into a bundle's model, or comes out.

    Attributes:
        name: in the graph.
        dtype: numpy's name of it.
        shape: sizes; None where they are dynamic.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    @property
    def code(self) -> int:
        """ONNX' number of the dtype."""
        return CODES[self.dtype]

    @property
    def words(self) -> str:
        """Dtype and shape for people.

        Example:
            >>> BundleArray("mfcc", "float32", (None, 49, 10)).words
            'float32 (any, 49, 10)'
        """
        return f"{self.dtype} ({', '.join('any' if size is None else str(size) for size in self.shape)})"

    def as_dict(self) -> dict[str, Any]:
        """Return the array as a JSON object."""
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


@dataclass(frozen=True)
class BundleInterface:
    """What goes in and out.

    Attributes:
        preparation: what the model's pictures go through, inside the model; None where arrays go in.
        answer: of `ANSWERS`, or ``"arrays"``.
        threshold: probability from which on a tag, a yes or a pixel is answered; None where that decides nothing.
        inputs: `picture`, uint8, (height, width, channels), of any size; or the model's own.
        outputs: the model's own; of a picture, `prepared` behind them: what the net was fed.
    """

    preparation: Preparation | None
    answer: str
    threshold: float | None
    inputs: tuple[BundleArray, ...]
    outputs: tuple[BundleArray, ...]

    @property
    def takes(self) -> str:
        """What goes in: ``"picture"`` or ``"arrays"``."""
        return ARRAYS if self.preparation is None else "picture"

    @property
    def of_digits(self) -> bool:
        """Whether its pictures are searched for a digit, and zeros fed to the net where there is none."""
        return self.preparation is not None and self.preparation.kind == "digit"

    @property
    def answers(self) -> tuple[BundleArray, ...]:
        """The outputs without what the net was fed."""
        return self.outputs if self.preparation is None else self.outputs[:-1]

    @property
    def fingerprint(self) -> int:
        """A number of 32 bits that other inputs and outputs do not have: their CRC-32."""
        arrays = [[array.as_dict() for array in arrays] for arrays in (self.inputs, self.outputs)]
        return zlib.crc32(json.dumps([self.takes, *arrays], sort_keys=True).encode())

    @property
    def parts(self) -> tuple[str, str, str]:
        """The folders of templates that this interface takes, each replacing files of those before it."""
        return "common", f"from-{self.takes}", f"to-{self.answer}"

    def as_dict(self) -> dict[str, Any]:
        """Return the interface as a JSON object."""
        shown: dict[str, Any] = {"takes": self.takes, "answers": self.answer}
        if self.threshold is not None:
            shown["threshold"] = self.threshold
        arrays = {"inputs": self.inputs, "outputs": self.outputs}
        return shown | {name: [array.as_dict() for array in listed] for name, listed in arrays.items()}


def preparation_for(manifest: Manifest) -> Preparation | None:
    """Return what makes a model's one input of a picture; None where other arrays go in, or nobody knows."""
    alone = not manifest.more_inputs and manifest.input.dtype == "uint8" and manifest.input.shape[0] in {"batch", 1}
    return manifest.preprocess if alone else None


def interface_of(manifest: Manifest, session: Any) -> BundleInterface:
    """Return the interface of a bundle.

    Args:
        manifest: of the artifact.
        session: ONNX Runtime's, of the file that the bundle's program runs.
    """
    preparation = preparation_for(manifest)
    explained = preparation is not None and manifest.task in ANSWERS and not manifest.more_outputs
    inputs, outputs = (tuple(map(_array_of, values)) for values in (session.get_inputs(), session.get_outputs()))
    answer = manifest.task if explained else ARRAYS
    threshold = manifest.threshold if answer in THRESHOLD_TASKS else None
    return BundleInterface(preparation, answer, threshold, inputs, outputs)


def _array_of(value: Any) -> BundleArray:
    if value.type not in DTYPES:
        raise ArtifactError(
            f"`{value.name}` must be an array of numbers. Received: {value.type}. Export the model again."
        )
    shape = tuple(size if isinstance(size, int) else None for size in value.shape)
    return BundleArray(value.name, DTYPES[value.type][0], shape)
