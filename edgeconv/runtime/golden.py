"""Golden vectors: inputs with the reference's answers, which show whether a provider computes correctly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.array_sizes import check_archive
from edgeconv.artifact import read_bytes
from edgeconv.errors import ArtifactError, one_line
from edgeconv.manifest import ArraySpec
from edgeconv.runtime.session import Session

MOST_SAMPLE_BYTES = 200_000_000
"""What golden vectors may take, packed and unpacked: they are a few images and answers."""

TOLERANCE = 0.05
"""Largest difference of a probability that a provider may show.

A GPU multiplies float32 with the 10-bit mantissa of TF32 where it may, which moves the probabilities of a convnet by up
to some 0.01; a provider that computes something else is off by far more. The label must be the same in any case.
"""


@dataclass(frozen=True)
class Samples:
    """The golden vectors of an artifact.

    Attributes:
        images: what the model takes, (n, ...) in its own dtype; uint8 0-255 for raw pixels.
        labels: int64, (n,), the true classes; -1 where they are not known.
        probabilities: float32, (n, classes), the answers of the Keras reference.
    """

    images: NDArray[np.generic]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read `samples.npz`.

        Raises:
            ArtifactError: the file is absent or damaged.
        """
        arrays = _read(path)
        axes = {name: array.ndim for name, array in arrays.items()}
        if not axes.keys() >= {"images", "labels", "probabilities"} or (axes["labels"], axes["probabilities"]) != (
            1,
            2,
        ):
            raise _damaged(path, "images, labels (n,) and probabilities (n, classes)", arrays)
        return cls(arrays["images"], arrays["labels"], arrays["probabilities"])

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `samples.npz` holds."""
        return {"images": self.images, "labels": self.labels, "probabilities": self.probabilities}


@dataclass(frozen=True)
class ArraySamples:
    """The golden vectors of a model of other inputs and outputs than a picture and one array.

    Attributes:
        inputs: arrays by input, (n, ...).
        outputs: the answers of the Keras reference by output, (n, ...).
    """

    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `samples.npz` holds."""
        inputs = {f"{_INPUT}{name}": array for name, array in self.inputs.items()}
        return inputs | {f"{_OUTPUT}{name}": array for name, array in self.outputs.items()}


_INPUT, _OUTPUT = "input:", "output:"
"""What the names of arrays begin with in the file of `ArraySamples`."""


def golden_arrays(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> ArraySamples:
    """Return golden vectors of either kind by the names of a model's inputs and outputs.

    Raises:
        ArtifactError: the file is absent or damaged.
    """
    arrays = _read(path)
    if {"images", "probabilities"} <= arrays.keys():
        return ArraySamples({inputs[0]: arrays["images"]}, {outputs[0]: arrays["probabilities"]})
    found = {
        role: {key.removeprefix(role): array for key, array in arrays.items() if key.startswith(role)}
        for role in (_INPUT, _OUTPUT)
    }
    if set(found[_INPUT]) != set(inputs) or set(found[_OUTPUT]) != set(outputs):
        raise _damaged(path, f"golden vectors of {', '.join([*inputs, *outputs])}", arrays)
    return ArraySamples(found[_INPUT], found[_OUTPUT])


def golden_inputs(path: Path, inputs: Sequence[ArraySpec]) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64] | None]:
    """Return the inputs of golden vectors of either kind, by name, and the true classes where they have some.

    Args:
        path: of `samples.npz`.
        inputs: of the model, as its contract has them.

    Raises:
        ArtifactError: the file is absent or damaged.
    """
    arrays = _read(path)
    labels = arrays.get("labels")
    if "images" in arrays and labels is not None:
        found = {inputs[0].name: arrays["images"]}
    else:
        found = {key.removeprefix(_INPUT): array for key, array in arrays.items() if key.startswith(_INPUT)}
    known = labels is None or (labels.ndim == 1 and labels.dtype.kind in "iu")
    if not known or not all(spec.name in found and _fits(found[spec.name], spec) for spec in inputs):
        raise _damaged(path, f"golden vectors of {', '.join(f'{s.name} {s.dtype} {s.shape}' for s in inputs)}", arrays)
    return found, labels


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        content = read_bytes(path, MOST_SAMPLE_BYTES)
        check_archive(BytesIO(content), len(content), most=MOST_SAMPLE_BYTES)
        with np.load(BytesIO(content), allow_pickle=False) as arrays:
            found = dict(arrays)
        if others := [name for name, array in found.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{', '.join(others)}, which are no arrays")  # numpy hands out the bytes of such a member.
    except Exception as error:  # Damaged bytes fail in every way there is: of the archive, the header, the memory.
        raise ArtifactError(
            f"`{path}` must hold golden vectors. Received: {one_line(error)}. Export the model again."
        ) from error
    good = all(array.ndim and array.dtype.kind in "biuf" for array in found.values())
    if not good or len({len(array) for array in found.values()}) != 1 or 0 in map(len, found.values()):
        raise _damaged(path, "golden vectors, as many of each array", found)
    return found


def _fits(array: NDArray[Any], spec: ArraySpec) -> bool:
    """Whether an array is of a contract; the batch may have any size."""
    sizes = zip(spec.shape[1:], array.shape[1:], strict=False)
    fits = array.ndim == len(spec.shape) and all(size == got for size, got in sizes if isinstance(size, int))
    return fits and array.dtype == spec.dtype


def _damaged(path: Path, wanted: str, found: Mapping[str, NDArray[Any]]) -> ArtifactError:
    received = ", ".join(f"{name} {array.shape}" for name, array in found.items())
    return ArtifactError(f"`{path}` must hold {wanted}. Received: {received or 'no arrays'}. Export the model again.")


def disagreement(session: Session, samples: Samples, batch: int | None = None) -> str | None:
    """Say how a session's answers differ from the reference's on the golden vectors, or None where they agree.

    Args:
        session: open.
        samples: the golden vectors.
        batch: the only batch size that the model takes, or None.
    """
    count = len(samples.images)
    size = batch or count
    parts = [np.take(samples.images, range(at, at + size), axis=0, mode="wrap") for at in range(0, count, size)]
    answers = np.concatenate([session.run(part) for part in parts])[:count]
    wrong = int(np.count_nonzero(answers.argmax(axis=1) != samples.probabilities.argmax(axis=1)))
    error = float(np.abs(answers - samples.probabilities).max())
    if np.isfinite(error) and error <= TOLERANCE and not wrong:
        return None
    return f"{wrong} of {len(samples.labels)} golden vectors get another label, and probabilities differ by {error:.2g}"
