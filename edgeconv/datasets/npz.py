"""Read images and labels from an `.npz` file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from edgeconv.array_sizes import check_arrays
from edgeconv.datasets.checks import checked_split
from edgeconv.datasets.dataset import Split
from edgeconv.datasets.reading import Reading
from edgeconv.errors import DatasetError, one_line

KERAS_KEYS = ("x_train", "y_train", "x_test", "y_test")
"""The layout of `keras.datasets.mnist`, which has a test split."""

PAIRS = (("x", "y"), ("images", "labels"))
"""Layouts without a test split."""


def read_npz(path: Path) -> Reading:
    """Read a file with `x_train`, `y_train`, `x_test`, `y_test`, or with only `x`, `y` or `images`, `labels`.

    The names of the classes come from `class_names` (or `labels`, where that key is free), an array of strings.
    Pickled arrays are refused: reading one could run code.

    Args:
        path: the file.

    Returns:
        Its images, uint8, (n, height, width, 1 or 3), 0-255, its labels, and the names where it has them.

    Raises:
        DatasetError: the file is damaged, lacks a key, or holds arrays that are no images and labels. Names the file.
    """
    with open_npz(path) as archive:
        keys = set(archive.files)
        if keys & set(KERAS_KEYS):
            missing = [key for key in KERAS_KEYS if key not in keys]
            if missing:
                raise DatasetError(
                    f"{path}: {', '.join(KERAS_KEYS)} are required. Missing: {', '.join(missing)}. Save all four, "
                    "or only `x` and `y` to have the test split held out."
                )
            names = _names(path, archive, ("class_names", "labels"))
            test = _split(path, archive, "x_test", "y_test")
            return Reading(str(path), _split(path, archive, "x_train", "y_train"), test, names)
        for images, labels in PAIRS:
            if images in keys and labels in keys:
                names = _names(path, archive, ("class_names", "labels") if labels == "y" else ("class_names",))
                return Reading(str(path), _split(path, archive, images, labels), None, names)
        raise DatasetError(
            f"{path}: the keys {', '.join(KERAS_KEYS)}, or x, y, or images, labels are required. Received: "
            f"{', '.join(sorted(keys)[:8]) or 'none'}. Save it with `np.savez(path, x=images, y=labels)`."
        )


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn whatever numpy and zipfile raise for a damaged file, which is anything, into an error that names it."""
    try:
        yield
    except Exception as error:
        reason = one_line(error)
        remedy = "Save plain arrays, not objects" if "pickle" in reason else "Get a new copy"
        raise DatasetError(f"{path}: a readable .npz file is required. Received: {reason}. {remedy}.") from error


@contextmanager
def open_npz(path: Path) -> Iterator[NpzFile[Any]]:
    """Open an `.npz` file of plain arrays.

    Raises:
        DatasetError: it is damaged, or none. Names the file.
    """
    with ExitStack() as stack:
        with _naming(path):
            check_arrays(path)
            # numpy, given a path, leaves a damaged file open.
            archive = np.load(stack.enter_context(path.open("rb")), allow_pickle=False)
        if not isinstance(archive, NpzFile):
            raise DatasetError(f"{path}: an .npz file is required. Received: a single array. Save it with `np.savez`.")
        yield stack.enter_context(archive)


def dtypes_of(path: str | Path) -> dict[str, np.dtype[Any]]:
    """Return what the arrays of an `.npz` hold, by name, without reading them; nothing of a file that is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist() if name.endswith(".npy")}
            return {name: _dtype(archive, member) for name, member in members.items()}
    except (OSError, ValueError, zipfile.BadZipFile):  # Whoever reads the arrays says what is wrong.
        return {}


def _dtype(archive: zipfile.ZipFile, name: str) -> np.dtype[Any]:
    with archive.open(name) as member:
        read = npy.read_array_header_1_0 if npy.read_magic(member) == (1, 0) else npy.read_array_header_2_0
        return read(member)[2]


def _array(path: Path, archive: NpzFile[Any], key: str) -> NDArray[Any]:
    with _naming(path):
        array = archive[key]
    if not isinstance(array, np.ndarray):  # numpy hands out the raw bytes of a member that is no array
        raise DatasetError(f"{path}: `{key}` must be an array. Received: other data. Save it with `np.savez`.")
    return array


def _split(path: Path, archive: NpzFile[Any], images: str, labels: str) -> Split:
    where = (f"`{images}` of {path}", f"`{labels}` of {path}")
    return checked_split(_array(path, archive, images), _array(path, archive, labels), where)


def _names(path: Path, archive: NpzFile[Any], keys: tuple[str, ...]) -> tuple[str, ...] | None:
    key = next((key for key in keys if key in archive.files), None)
    if key is None:
        return None
    array = _array(path, archive, key)
    if array.ndim != 1 or array.dtype.kind not in "US" or not array.itemsize:
        raise DatasetError(
            f"`{key}` of {path}: names of classes must be strings, (n,). Received: {array.dtype} {array.shape}. "
            "Save `np.array(names)` of a list of strings."
        )
    with _naming(path):
        names = tuple(name.decode() if isinstance(name, bytes) else str(name) for name in array)
    if len(set(names)) < len(names) or "" in names:
        raise DatasetError(
            f"`{key}` of {path}: names must differ and not be empty. Received: {', '.join(names)}. Rename."
        )
    return names
