"""Resizing as Keras' loaders do it besides bilinear and nearest: TensorFlow's kernels, and Pillow's to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeconv.pictures.colors import premultiplied, straightened
from edgeconv.pictures.resampling import ALL, Read, Weights, area_weights, multiply, resample
from edgeconv.preparation import FILTERS
from edgeconv.recipe import BICUBIC_STEPS, HAMMING, KEYS, PILLOW_WHOLE

Floats = NDArray[np.float64]

_CHUNK_BYTES = 2**26
"""What is resized in one direction at once, as floats."""


def resize_with_kernel(
    picture: NDArray[np.uint8], height: int, width: int, method: str, read: Read | None = None
) -> NDArray[np.float32]:
    """Resize a picture, its channels apart, as `tf.image.resize` does.

    Args:
        picture: uint8, (height, width, channels), 0-255.
        height: rows of the result.
        width: columns of the result.
        method: "bicubic", "lanczos3", "lanczos5" or "area".
        read: makes of its pixels those that are resized; by default they are.

    Returns:
        float32, (height, width, channels); at edges it may lie outside 0-255, but for "area".
    """
    sides = tuple(zip(picture.shape[:2], (height, width), strict=True))
    if method == "area":
        down, across = (partial(area_weights, source, target, source / target, 0) for source, target in sides)
    else:
        down, across = (partial(_tensorflow_weights, source, target, method) for source, target in sides)
    return resample(picture, down, across, (height, width), read)


def resize_as_pillow(
    picture: NDArray[np.uint8], height: int, width: int, method: str, read: Read | None = None
) -> NDArray[np.uint8]:
    """Resize a picture as `PIL.Image.Image.resize` does: in one direction, then in the other, each rounded to bytes.

    Transparent pictures are resized with their colours weighed by alpha, so that what cannot be seen does not shine
    through; but for "pillow-nearest", which mixes no pixels.

    Args:
        picture: uint8, (height, width, channels), 0-255; the fourth channel is straight alpha.
        height: rows of the result.
        width: columns of the result.
        method: of `FILTERS`, an antialiased one or "pillow-nearest".
        read: makes of its pixels those that are resized; by default they are.

    Returns:
        uint8, (height, width, channels), 0-255.
    """
    rows, columns = picture.shape[:2]
    if method == "pillow-nearest":
        found = picture[pillow_nearest(rows, height)][:, pillow_nearest(columns, width)]
        return read(found) if read else found
    if (rows, columns) == (height, width):  # Else weighing colours by alpha would round them.
        return read(picture) if read else picture
    kernel = FILTERS[method][0]
    # Pillow 13 begins with the direction that leaves less to do; up to 12 it always began with the columns.
    rows_first = rows > height and rows - height > 2 * (columns - width)
    made: NDArray[np.uint8] = picture
    weighed: Read | None = partial(_weighed, read)
    for axis in (0, 1) if rows_first else (1, 0):
        weights = partial(pillow_weights, picture.shape[axis], (height, width)[axis], kernel)
        made = _in_chunks(made.swapaxes(0, axis), weights, (height, width)[axis], weighed).swapaxes(0, axis)
        weighed = None
    made = np.ascontiguousarray(made)
    return straightened(made) if made.shape[2] == 4 else made


def pillow_nearest(source: int, target: int) -> NDArray[np.int64]:
    """Return which of `source` pixels each of `target` pixels is, as Pillow counts: step upon step, (target,).

    Example:
        >>> pillow_nearest(40, 28)[17], np.floor(np.float32(17.5) * (np.float32(40) / np.float32(28)))
        (np.int64(24), np.float32(25.0))
    """
    steps = np.full(target, source / target)
    steps[0] *= 0.5
    return np.asarray(np.minimum(np.cumsum(steps).astype(np.int64), source - 1))


def _weighed(read: Read | None, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    made = read(pixels) if read else pixels
    return premultiplied(made) if made.shape[2] == 4 else made


def _in_chunks(lying: NDArray[np.uint8], weights: Weights, target: int, read: Read | None) -> NDArray[np.uint8]:
    """Resize the first axis, rounded to bytes, of some of the second one after another."""
    step = max(1, _CHUNK_BYTES // (8 * target * 4))
    chunks = (lying[:, at : at + step] for at in range(0, lying.shape[1], step))
    return np.concatenate([_rounded(multiply(weights, target, chunk, read)) for chunk in chunks], axis=1)


def pillow_weights(source: int, target: int, kernel: str, rows: slice = ALL) -> Floats:
    """Return how much each source pixel gives to each target pixel, whole numbers of `PILLOW_WHOLE`, (target, source).

    From `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow's src/libImaging/Resample.c.
    """
    scale = source / target
    centres = (np.arange(target)[rows, None] + 0.5) * scale
    weights = KERNELS[kernel]((np.arange(source) - centres + 0.5) * (1.0 / max(scale, 1.0)))
    if kernel == "box":  # The one whose edge is no zero: a pixel on it belongs to one side.
        weights = weights * (np.arange(source) >= np.floor(centres - 0.5 * max(scale, 1.0) + 0.5))
    shares = weights / weights.sum(axis=1, keepdims=True) * PILLOW_WHOLE
    return np.asarray(np.trunc(shares + np.copysign(0.5, shares)))


def _rounded(sums: Floats) -> NDArray[np.uint8]:
    return np.floor((sums + PILLOW_WHOLE // 2) / PILLOW_WHOLE).clip(0, 255).astype(np.uint8)


def _tensorflow_weights(source: int, target: int, kernel: str, rows: slice = ALL) -> NDArray[np.float32]:
    """Return how much each source pixel gives to each target pixel, float32, (target, source).

    From tensorflow/core/kernels/image/resize_bicubic_op.cc and scale_and_translate_op.cc, without antialiasing.
    """
    scale = np.float32(source) / np.float32(target)
    places = (np.arange(target, dtype=np.float32)[rows] + np.float32(0.5)) * scale - np.float32(0.5)
    if kernel == "bicubic":
        whole = np.floor(places)
        places = whole + np.rint((places - whole) * BICUBIC_STEPS) / BICUBIC_STEPS
    weights = KERNELS[kernel](np.arange(source, dtype=np.float64) - places[:, None])
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _triangle(distances: Floats) -> Floats:
    return np.maximum(0.0, 1.0 - np.abs(distances))


def _cubic(distances: Floats) -> Floats:
    x = np.abs(distances)
    near = ((KEYS + 2.0) * x - (KEYS + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * KEYS
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(lobes: int) -> Callable[[Floats], Floats]:
    def kernel(distances: Floats) -> Floats:
        return np.where(np.abs(distances) < lobes, np.sinc(distances) * np.sinc(distances / lobes), 0.0)

    return kernel


def _box(distances: Floats) -> Floats:
    return np.where((distances > -0.5) & (distances <= 0.5), 1.0, 0.0)


def _hamming(distances: Floats) -> Floats:
    x = np.abs(distances)
    return np.where(x < 1.0, np.sinc(x) * (HAMMING[0] + HAMMING[1] * np.cos(np.pi * x)), 0.0)


KERNELS: Mapping[str, Callable[[Floats], Floats]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "box": _box,
    "hamming": _hamming,
}
"""How much a pixel gives at a distance, in pixels of the coarser grid, by the name of the interpolation."""
