"""Resizing as two matrix products: antialiased, the same numbers as Pillow's BILINEAR, or not, as TensorFlow's.

A matrix says how much each source pixel gives to each target pixel. Written so, a resize is two standard MatMul
operators in any tensor language, and needs no image library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 16
"""Target rows computed together: few enough that a block's source rows stay in the cache."""

_CHUNK_BYTES = 2**19
_CHUNK_ALIGNED = 64
"""What of a block's source rows is held as floats at once, in a core's cache, and columns that are never split."""

STRIP_BYTES = 100_000_000
"""What a picture with its rows resized may take; of a wider one, some columns are resized after another."""

Weights = Callable[[slice], NDArray[Any]]
"""Gives some rows of a matrix, (target rows, source): of a side of 65,535 pixels the whole would fill the memory."""

Read = Callable[[NDArray[Any]], NDArray[np.uint8]]
"""Makes of some pixels of a picture, (rows, columns, channels), those that are resized, such as others channels."""

ALL = slice(None)


def triangle_weights(source: int, target: int, antialias: bool = True, rows: slice = ALL) -> NDArray[np.float32]:
    """Build the matrix that resamples `source` pixels into `target` pixels with a triangle filter.

    The filter is one pixel of the coarser grid wide to each side, so shrinking averages (antialiasing) and
    enlarging interpolates linearly. Without antialiasing it is one pixel of the source wide.

    Args:
        source: number of pixels to read.
        target: number of pixels to make.
        antialias: average over all source pixels of a target pixel, rather than between the nearest two.
        rows: of the matrix that are built.

    Returns:
        float32, (target, source), or some rows of it; each sums to 1.

    Example:
        >>> triangle_weights(4, 2).round(3).tolist()
        [[0.429, 0.429, 0.143, 0.0], [0.0, 0.143, 0.429, 0.429]]
    """
    scale = source / target
    centres = np.clip((np.arange(target)[rows] + 0.5) * scale, 0.5, source - 0.5)
    distances = np.abs(np.arange(source) + 0.5 - centres[:, None]) / (max(scale, 1.0) if antialias else 1.0)
    weights = np.maximum(0.0, 1.0 - distances)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, np.float32)


def trapezoid_weights(
    source: int, target: int, begin: np.float32, scale: np.float32, flat: int, rows: slice = ALL
) -> NDArray[np.float32]:
    """Build the matrix that averages source pixels with a trapezoid filter, in float32.

    The filter is `flat` triangles beside one another, each one pixel of the coarser grid wide to each side, or, of
    several, a part of it. Beyond an edge the source goes on as it is at the edge.

    Args:
        source: number of pixels to read.
        target: number of pixels to make.
        begin: where in the source the target begins, in pixels from its edge.
        scale: source pixels in one target pixel.
        flat: number of triangles.
        rows: of the matrix that are built.

    Returns:
        float32, (target, source), or some rows of it; each sums to 1.

    Example:
        >>> trapezoid_weights(4, 2, np.float32(0), np.float32(2), 3).round(2).tolist()
        [[0.5, 0.33, 0.17, 0.0], [0.0, 0.17, 0.33, 0.5]]
    """
    one, half = np.float32(1), np.float32(0.5)
    centres = (np.arange(target, dtype=np.float32)[rows, None] + half) * scale + (begin - half)
    radius = max(one, scale / np.float32(flat))
    reach = radius * np.float32((flat + 1) / 2)
    first, behind = math.floor(centres[0, 0] - reach), math.ceil(centres[-1, 0] + reach) + 1
    distances = np.abs(np.arange(first, behind, dtype=np.float32) - centres) / radius
    weights = np.clip(np.float32((flat + 1) / 2) - distances, 0, one)
    weights /= weights.sum(axis=1, keepdims=True)
    made = np.zeros((len(weights), source), np.float32)
    left, right = (min(max(edge - first, 0), behind - first) for edge in (0, source))
    made[:, first + left : first + right] = weights[:, left:right]
    made[:, 0] += weights[:, :left].sum(axis=1)
    made[:, -1] += weights[:, right:].sum(axis=1)
    return made


def area_weights(source: int, target: int, scale: float, offset: int, rows: slice = ALL) -> NDArray[np.float32]:
    """Build the matrix that averages `scale` source pixels into each target pixel.

    Args:
        source: number of pixels to read; beyond them there is nothing.
        target: number of pixels to make.
        scale: source pixels in one target pixel.
        offset: target pixel on which the source begins.
        rows: of the matrix that are built.

    Returns:
        float32, (target, source), or some rows of it: the share of each target pixel that each source pixel covers.

    Example:
        >>> area_weights(3, 4, 1.5, 1).round(2).tolist()
        [[0.0, 0.0, 0.0], [0.67, 0.33, 0.0], [0.0, 0.33, 0.67], [0.0, 0.0, 0.0]]
    """
    begin = (np.arange(target)[rows, None] - offset) * scale
    pixel = np.arange(source)
    covered = np.minimum(begin + scale, pixel + 1) - np.maximum(begin, pixel)
    return np.asarray(np.clip(covered, 0, None) / scale, np.float32)


def nearest(source: int, target: int) -> NDArray[np.int64]:
    """Return which of `source` pixels each of `target` pixels is, as `tf.image.resize` has it, (target,).

    Example:
        >>> nearest(5, 2).tolist()
        [1, 3]
    """
    middles = np.arange(target, dtype=np.float32) + np.float32(0.5)
    places = np.floor(middles * (np.float32(source) / np.float32(target))).astype(np.int64)
    return np.asarray(np.minimum(places, source - 1))


def resize(
    picture: NDArray[np.uint8] | NDArray[np.float32],
    height: int,
    width: int,
    method: str = "triangle",
    read: Read | None = None,
) -> NDArray[np.float32]:
    """Resize a picture.

    Args:
        picture: uint8 or float32, (height, width, channels), any range.
        height: rows of the result.
        width: columns of the result.
        method: "triangle", "bilinear" or "nearest"; `kernels` has the other filters.
        read: makes of its pixels those that are resized; by default they are.

    Returns:
        float32, (height, width, channels), within the range of `picture`.

    Example:
        >>> resize(np.full((9, 9, 1), 7, np.uint8), 4, 2).shape
        (4, 2, 1)
    """
    rows, columns = picture.shape[:2]
    if method == "nearest":
        found = picture[nearest(rows, height)][:, nearest(columns, width)]
        return (read(found) if read else found).astype(np.float32)
    antialias = method == "triangle"
    vertical = partial(triangle_weights, rows, height, antialias)
    horizontal = partial(triangle_weights, columns, width, antialias)
    return resample(picture, vertical, horizontal, (height, width), read)


def resample(
    picture: NDArray[np.uint8] | NDArray[np.float32],
    vertical: Weights,
    horizontal: Weights,
    size: tuple[int, int],
    read: Read | None = None,
    between: Callable[[NDArray[Any]], NDArray[Any]] | None = None,
) -> NDArray[np.float32]:
    """Apply one matrix to the rows of a picture and one to its columns.

    Args:
        picture: uint8 or float32, (height, width, channels), any range.
        vertical: float32, (target height, height).
        horizontal: float32, (target width, width).
        size: target height and width.
        read: makes of its pixels those that are resized; by default they are.
        between: makes other channels of what the first matrix made, where fewer pixels are left than in the picture.

    Returns:
        float32, (target height, target width, channels).
    """
    height, width = size

    def resample_rows(part: NDArray[Any]) -> NDArray[Any]:
        rows = multiply(vertical, height, part, read)
        return between(rows) if between else rows

    if height * picture.shape[1] * max(3, picture.shape[2]) * 4 <= STRIP_BYTES:
        rows = resample_rows(picture)
        return np.ascontiguousarray(multiply(horizontal, width, rows.transpose(1, 0, 2)).transpose(1, 0, 2))
    strips = []
    for _, block, begin, end in _blocks(horizontal, width):
        rows = resample_rows(picture[:, begin:end])
        strips.append(multiply(block.__getitem__, len(block), rows.transpose(1, 0, 2)).transpose(1, 0, 2))
    return np.concatenate(strips, axis=1)


def multiply(weights: Weights, target: int, picture: NDArray[Any], read: Read | None = None) -> NDArray[Any]:
    """Multiply a matrix, (target, rows), and the rows of the picture, leaving out the zeros of a band matrix.

    A block of target rows reads only the source rows it needs: a large photograph is never held as floats.
    """
    made: NDArray[Any] | None = None
    for first, block, begin, end in _blocks(weights, target):
        step = _CHUNK_BYTES // (4 * (end - begin) * picture.shape[2] * _CHUNK_ALIGNED) * _CHUNK_ALIGNED
        for at in range(0, picture.shape[1], step := max(step, _CHUNK_ALIGNED)):
            given = picture[begin:end, at : at + step]
            pixels = read(given) if read else given
            if made is None:
                made = np.empty((target, picture.shape[1], pixels.shape[2]), block.dtype)
            flat = pixels.reshape(end - begin, -1).astype(block.dtype, copy=False)
            made[first : first + BLOCK, at : at + step] = (block @ flat).reshape(len(block), -1, pixels.shape[2])
    if made is None:
        raise ValueError("a picture without rows or columns")
    return made


def _blocks(weights: Weights, target: int) -> Iterator[tuple[int, NDArray[Any], int, int]]:
    """Yield some rows after another: the first one's number, their weights, and from where to where these reach."""
    for first in range(0, target, BLOCK):
        block = weights(slice(first, first + BLOCK))
        used = np.flatnonzero(block.any(axis=0))
        begin, end = int(used[0]), int(used[-1]) + 1
        yield first, block[:, begin:end], begin, end
