"""Read images and labels from IDX files, the format in which MNIST was published.

A file is a magic number (0, 0, 8 for bytes, the number of axes), the length of each axis as a big-endian uint32, and
the bytes in C order. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edgeconv.array_sizes import check_unpacked
from edgeconv.datasets.checks import checked_split
from edgeconv.datasets.reading import Reading
from edgeconv.errors import DatasetError

PARTS = (("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1))
"""The four files of a dataset, and their numbers of axes."""

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20


def find_idx(folder: Path) -> tuple[Path, ...] | None:
    """Look for the four IDX files in a folder, as `train-images-idx3-ubyte` or with `.idx3-ubyte`, with `.gz` or not.

    Args:
        folder: where to look.

    Returns:
        The paths of training images, training labels, test images, test labels; None if the folder has none of them.

    Raises:
        DatasetError: some of the four are missing.
    """
    found = [_find(folder, stem, axes) for stem, axes in PARTS]
    if not any(found):
        return None
    paths = tuple(path for path in found if path is not None)
    if len(paths) < len(PARTS):
        missing = [f"{stem}-idx{axes}-ubyte" for (stem, axes), path in zip(PARTS, found, strict=True) if path is None]
        raise DatasetError(
            f"{folder}: four IDX files are required, gzipped or not. Missing: {', '.join(missing)}. Add them."
        )
    return paths


def read_idx_folder(folder: Path) -> Reading:
    """Read a folder of the four IDX files.

    Args:
        folder: has all that `find_idx` looks for.

    Returns:
        Its images, uint8, (n, height, width, 1), 0-255, and its labels, in the order of the files.

    Raises:
        DatasetError: a file is missing, damaged or not what its name says. Names the file.
    """
    paths = find_idx(folder)
    if paths is None:
        names = ", ".join(f"{stem}-idx{axes}-ubyte" for stem, axes in PARTS)
        raise DatasetError(f"{folder}: four IDX files are required, gzipped or not: {names}. Received: none of them.")
    arrays = [read_idx(path, axes) for path, (_, axes) in zip(paths, PARTS, strict=True)]
    train = checked_split(arrays[0], arrays[1], (str(paths[0]), str(paths[1])))
    return Reading(str(folder), train, checked_split(arrays[2], arrays[3], (str(paths[2]), str(paths[3]))))


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """Read one IDX file of bytes; a gzipped one is known by its first bytes, whatever its name.

    Args:
        path: the file.
        axes: the number of axes that it must have: 3 for images, 1 for labels.

    Returns:
        uint8, with that many axes.

    Raises:
        DatasetError: the file is unreadable, damaged, or has another magic number or size. Names the file.
    """
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] != _GZIP_MAGIC:
                return _parse(file, path, axes)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _parse(unpacked, path, axes)
    except (OSError, EOFError, ValueError, zlib.error) as error:  # ValueError: no array has that many elements.
        reason = str(error).rstrip(".")
        raise DatasetError(f"{path}: a readable IDX file is required. Received: {reason}. Get a new copy.") from error


def _find(folder: Path, stem: str, axes: int) -> Path | None:
    names = (f"{stem}{mark}idx{axes}-ubyte{end}" for end in ("", ".gz") for mark in ("-", "."))
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _parse(stream: BinaryIO | gzip.GzipFile, path: Path, axes: int) -> NDArray[np.uint8]:
    header = stream.read(4 + 4 * axes)
    magic = int.from_bytes(header[:4], "big")
    required = 0x0800 | axes
    if len(header) >= 4 and magic != required:
        raise DatasetError(
            f"{path}: the magic number {required} ({'images' if axes == 3 else 'labels'} of unsigned bytes) is "
            f"required. Received: {magic}. Check that images and labels are not swapped, or get a new copy."
        )
    if len(header) < 4 + 4 * axes:
        raise DatasetError(f"{path}: an IDX header is required. Received: {len(header)} bytes. Get a new copy.")
    shape = tuple(int(length) for length in np.frombuffer(header, ">u4", offset=4))
    promised = math.prod(shape)
    length = path.stat().st_size
    content = bytearray()
    # In pieces, and one byte too far: a header must neither allocate what it promises, nor hide what follows.
    while piece := stream.read(min(_CHUNK_BYTES, promised + 1 - len(content))):
        content += piece
        check_unpacked(len(content), length)
    if len(content) != promised:
        received = "more" if len(content) > promised else f"{len(content)} bytes"
        raise DatasetError(
            f"{path}: {promised} bytes are required by its header, {shape}. Received: {received}. Get a new copy."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
