"""Examples in an `.npz`: arrays by the names of a model's inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets.examples.truth import truth_of
from edgeconv.datasets.npz import open_npz
from edgeconv.errors import DatasetError
from edgeconv.manifest import ArraySpec, Manifest

INPUT_KEYS = ("x", "images", "x_test")
"""What the array of the only input may be called beside its own name."""

OUTPUT_KEYS = ("y", "labels", "targets", "masks", "y_test")
"""What the array that the only output ought to be may be called beside its own name."""


def read_npz_examples(path: Path, manifest: Manifest) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return inputs and what is right of outputs; arrays of other names are left alone.

    Raises:
        DatasetError: the file is damaged, an input is not in it, or an array does not fit the model.
    """
    inputs, outputs = (manifest.input, *manifest.more_inputs), (manifest.output, *manifest.more_outputs)
    with open_npz(path) as archive:
        found = {spec.name: _found(archive.files, spec.name, INPUT_KEYS if len(inputs) == 1 else ()) for spec in inputs}
        missing = [name for name, key in found.items() if key is None]
        if missing:
            received = ", ".join(archive.files) or "none"
            raise DatasetError(
                f"{path}: arrays named {', '.join(found)} are required. Received: {received}. "
                f"Save them with `numpy.savez({path.name!r}, {missing[0]}=...)`."
            )
        given = {spec.name: _fitted(path, spec, archive[str(found[spec.name])]) for spec in inputs}
        count = len(next(iter(given.values())))
        right = {}
        for spec in outputs:
            key = _found(archive.files, spec.name, OUTPUT_KEYS if len(outputs) == 1 else ())
            if key is not None:
                right[spec.name] = truth_of(f"`{key}` of {path}", archive[key], manifest, spec)
    for name, array in (*given.items(), *right.items()):
        if len(array) != count:
            raise DatasetError(
                f"{path}: all arrays must have {count} rows. Received: {len(array)} in {name}. Cut them."
            )
    return given, right


def _found(keys: list[str], name: str, others: tuple[str, ...]) -> str | None:
    return next((key for key in (name, *others) if key in keys), None)


def _fitted(path: Path, spec: ArraySpec, array: NDArray[Any]) -> NDArray[Any]:
    """Return an input in the model's dtype, checked."""
    fixed = [axis if isinstance(axis, int) else None for axis in spec.shape[1:]]
    fits = array.ndim == len(fixed) + 1 and all(
        axis in {None, size} for axis, size in zip(fixed, array.shape[1:], strict=True)
    )
    whole = array.dtype.kind in "iub" and np.dtype(spec.dtype).kind in "iu"
    if not fits or not len(array) or not (whole or np.can_cast(array.dtype, spec.dtype, "same_kind")):
        raise DatasetError(
            f"{path}: `{spec.name}` must be {spec.dtype} ({', '.join(map(str, spec.shape))}). Received: "
            f"{array.dtype} {array.shape}. Save it so."
        )
    return array.astype(spec.dtype)
