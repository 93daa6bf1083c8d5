"""`edgeconv.pictures.kernels` as ONNX operators: the numbers of Pillow and TensorFlow, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from edgeconv.conversion.embedding.colors import premultiplied, straightened
from edgeconv.conversion.embedding.control import choose
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, UINT8, Operand, Tensor, arange, join, where
from edgeconv.pictures.resampling import BLOCK
from edgeconv.preparation import FILTERS
from edgeconv.recipe import BICUBIC_STEPS, HAMMING, KEYS, PILLOW_WHOLE, RADIUS

Weigh = Callable[[Tensor, Tensor], Tensor]
"""Source rows, float64, (blocks, 1, read), and middles of target rows, float64, (blocks, BLOCK, 1), to weights."""


def resize_with_kernel(picture: Tensor, height: Operand, width: Operand, method: str) -> Tensor:
    """Resize as `edgeconv.pictures.kernels.resize_with_kernel`: uint8 to float32, (height, width, channels)."""
    section = picture.recorder.section
    rows_of = _area_rows if method == "area" else _tensorflow_rows
    with section("rows"):
        rows = rows_of(picture, height, method)
    with section("columns"):
        return rows_of(rows.transpose(1, 0, 2), width, method).transpose(1, 0, 2)


def resize_as_pillow(picture: Tensor, height: Operand, width: Operand, method: str, *, transparent: bool) -> Tensor:
    """Resize as `edgeconv.pictures.kernels.resize_as_pillow`: uint8, (height, width, channels).

    Args:
        picture: uint8, (rows, columns, channels).
        height: rows of the result.
        width: columns of the result.
        method: of `FILTERS`, an antialiased one or "pillow-nearest".
        transparent: whether there are four channels.
    """
    if method == "pillow-nearest":
        return _nearest_rows(_nearest_rows(picture, height).transpose(1, 0, 2), width).transpose(1, 0, 2)
    kernel, section = FILTERS[method][0], picture.recorder.section

    def columns(given: Tensor) -> Tensor:
        with section("columns"):
            return _pillow_rows(given.transpose(1, 0, 2), width, kernel).transpose(1, 0, 2)

    def rows(given: Tensor) -> Tensor:
        with section("rows"):
            return _pillow_rows(given, height, kernel)

    def resized(given: Tensor) -> Tensor:
        less = picture.size(0) - picture.index(height)
        rows_first = (less > 0) & (less > (picture.size(1) - picture.index(width)) * 2)
        names = ("rows_first", "columns_first")
        return choose(rows_first, lambda: [columns(rows(given))], lambda: [rows(columns(given))], names)[0]

    if not transparent:
        return resized(picture)
    fits = picture.size(0).equals(picture.index(height)) & picture.size(1).equals(picture.index(width))
    weighed = ("as_it_is", "weighed_by_alpha")
    return choose(fits, lambda: [picture], lambda: [straightened(resized(premultiplied(picture)))], weighed)[0]


def _nearest_rows(picture: Tensor, target: Operand) -> Tensor:
    count, target = picture.size(0), picture.index(target)
    scale = count.as_type(DOUBLE) / target.as_type(DOUBLE)
    number = arange(target.scalar(), DOUBLE)
    steps = where(number.equals(0.0), number.like(0.5) * scale, scale)
    places = steps.running_sum(0)
    return picture.gather(places.as_type(INT64).minimum(count - 1))


def _pillow_rows(picture: Tensor, target: Operand, kernel: str) -> Tensor:
    """Resample the rows of bytes as Pillow does, in whole numbers; uint8, (target, ...)."""
    scale = picture.size(0).as_type(DOUBLE) / picture.index(target).as_type(DOUBLE)
    stretch = scale.maximum(1.0)

    def weigh(rows: Tensor, middles: Tensor) -> Tensor:
        centres = middles * scale
        weights = KERNELS[kernel]((rows - centres + 0.5) * (1 / stretch))
        if kernel == "box":
            weights = where(rows >= (centres - stretch * 0.5 + 0.5).floor(), weights, 0.0)
        shares = weights / weights.sum(2, keep=True) * float(PILLOW_WHOLE)
        return (shares.abs() + 0.5).floor() * shares.apply("Sign")

    sums = _weighted(picture, target, scale, stretch * RADIUS[kernel], weigh)
    return ((sums + PILLOW_WHOLE / 2) / float(PILLOW_WHOLE)).floor().clip(0.0, 255.0).as_type(UINT8)


def _tensorflow_rows(picture: Tensor, target: Operand, kernel: str) -> Tensor:
    """Resample rows as TensorFlow does without antialiasing; float32, (target, ...)."""
    scale = picture.size(0).as_type(FLOAT) / picture.index(target).as_type(FLOAT)

    def weigh(rows: Tensor, middles: Tensor) -> Tensor:
        places = middles.as_type(FLOAT) * scale - 0.5
        if kernel == "bicubic":
            whole = places.floor()
            places = whole + ((places - whole) * float(BICUBIC_STEPS)).round() / float(BICUBIC_STEPS)
        weights = KERNELS[kernel](rows - places.as_type(DOUBLE))
        return (weights / weights.sum(2, keep=True)).as_type(FLOAT)

    wide = scale.as_type(DOUBLE)
    return _weighted(picture, target, wide, wide.like(RADIUS[kernel]), weigh)


def _area_rows(picture: Tensor, target: Operand, kernel: str) -> Tensor:
    """Average the part of the source that each target row covers; float32, (target, ...)."""
    del kernel
    scale = picture.size(0).as_type(DOUBLE) / picture.index(target).as_type(DOUBLE)

    def weigh(rows: Tensor, middles: Tensor) -> Tensor:
        begin = (middles - 0.5) * scale
        covered = (begin + scale).minimum(rows + 1.0) - begin.maximum(rows)
        return (covered.maximum(0.0) / scale).as_type(FLOAT)

    return _weighted(picture, target, scale, scale * 0.5 + 1.0, weigh)


def _weighted(picture: Tensor, target: Operand, scale: Tensor, radius: Tensor, weigh: Weigh) -> Tensor:
    """Sum weighed source rows, by blocks of target rows that read equally many; of the weights' type, (target, ...).

    Args:
        picture: uint8 or float32, (rows, ...).
        target: number of rows to make.
        scale: source rows in a target row, float64.
        radius: how far the weights of a target row go, in source rows, float64.
        weigh: what each source row gives.
    """
    count, target = picture.size(0), picture.index(target)
    within = scale.array(np.arange(BLOCK)[:, None] + 0.5, DOUBLE)
    middles = arange(target.scalar(), DOUBLE, BLOCK).reshape(-1, 1, 1) + within
    read = ((scale * float(BLOCK) + radius * 2.0).as_type(INT64) + 3).minimum(count)
    begin = (middles.slice(1, 0, 1) * scale - radius - 1.0).maximum(0.0).as_type(INT64).minimum(count - read)
    rows = begin + arange(read.scalar(), INT64)
    weights = weigh(rows.as_type(DOUBLE), middles)
    pixels = picture.reshape(0, -1).gather(rows.reshape(0, -1)).as_type(weights.dtype)
    made = (weights @ pixels).apply("Reshape", join([count.integers([-1]), picture.sizes(1)]))
    return made.slice(0, None, target)


def _triangle(distances: Tensor) -> Tensor:
    return (1 - distances.abs()).maximum(0.0)


def _cubic(distances: Tensor) -> Tensor:
    x = distances.abs()
    near = (x * (KEYS + 2.0) - (KEYS + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * KEYS
    return where(x < 1.0, near, where(x < 2.0, far, 0.0))


def _sinc(distances: Tensor) -> Tensor:
    x = distances * math.pi
    return where(x.abs() > 0.0, x.apply("Sin") / x, 1.0)


def _lanczos(lobes: int) -> Callable[[Tensor], Tensor]:
    def kernel(distances: Tensor) -> Tensor:
        return where(distances.abs() < lobes, _sinc(distances) * _sinc(distances / lobes), 0.0)

    return kernel


def _box(distances: Tensor) -> Tensor:
    return ((distances > -0.5) & (distances <= 0.5)).as_type(DOUBLE)


def _hamming(distances: Tensor) -> Tensor:
    x = distances.abs()
    cosine = (x * math.pi + math.pi / 2).apply("Sin")
    return where(x < 1.0, _sinc(x) * (cosine * HAMMING[1] + HAMMING[0]), 0.0)


KERNELS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
    "box": _box,
    "hamming": _hamming,
}
"""As `edgeconv.pictures.kernels.KERNELS`."""
