"""`edgeconv.pictures.resampling` as ONNX operators: resizing as matrix products."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, Operand, Tensor, arange, join
from edgeconv.pictures.resampling import BLOCK


def resample_rows(
    picture: Tensor, target: Operand, begin: Operand = 0.0, end: Tensor | None = None, *, antialias: bool = True
) -> Tensor:
    """Resample the rows of a picture with a triangle filter, as `triangle_weights` has it.

    Blocks of target rows read only the source rows that they need, so a large photograph costs little more than
    reading it once. All blocks read equally many.

    Args:
        picture: uint8 or float32, (rows, ...).
        target: number of rows to make.
        begin: where in the source the target begins, in rows from its edge.
        end: where the target ends; by default at the other edge.
        antialias: average over all source rows of a target row, rather than between the nearest two.

    Returns:
        float32, (target, ...).
    """
    count = picture.size(0)
    source = count.as_type(DOUBLE)
    target = picture.index(target)
    scale = ((source if end is None else end) - begin) / target.as_type(DOUBLE)
    radius = scale.maximum(1.0)
    within = source.array(np.arange(BLOCK)[:, None] + 0.5, DOUBLE)
    made = arange(target, DOUBLE, BLOCK).reshape(-1, 1, 1) + within
    centres = (made * scale + (begin - 0.5)).maximum(0.0).minimum(source - 1)  # 0 is the middle of the first row
    read = ((radius * (BLOCK + 1)).as_type(INT64) + 3).minimum(count)
    first = (centres.slice(1, 0, 1) - radius).maximum(0.0).as_type(INT64).minimum(count - read)
    rows = first + arange(read, INT64)  # (blocks, 1, read)
    distances = (rows.as_type(DOUBLE) - centres).abs()
    weights = (1 - (distances / radius if antialias else distances).as_type(FLOAT)).maximum(0.0)
    weights = weights / weights.sum(2, keep=True)
    pixels = picture.reshape(0, -1).gather(rows.reshape(0, -1)).as_type(FLOAT)  # (blocks, read, numbers in a row)
    made = (weights @ pixels).apply("Reshape", join([source.integers([-1]), picture.sizes(1)]))
    return made.slice(0, None, target)


def nearest_rows(picture: Tensor, target: Operand) -> Tensor:
    """Take the nearest row for each of `target` rows, as `nearest` has it; of the type of `picture`, (target, ...)."""
    count, target = picture.size(0), picture.index(target)
    middles = arange(target) + 0.5
    return picture.gather((middles * (count.as_type(FLOAT) / target.as_type(FLOAT))).as_type(INT64).minimum(count - 1))


def area_weights(source: int, target: int, scale: Tensor, offset: Tensor) -> Tensor:
    """Build the matrices that average `scale` source pixels into each target pixel.

    Args:
        source: number of pixels to read; beyond them there is nothing.
        target: number of pixels to make.
        scale: source pixels in one target pixel, float64, one element.
        offset: target pixel on which the source begins, float64, (matrices, 1, 1).

    Returns:
        float32, (matrices, target, source): the share of each target pixel that each source pixel covers.
    """
    begin = (scale.array(np.arange(target)[:, None], DOUBLE) - offset) * scale
    pixel = scale.array(np.arange(source), DOUBLE)
    covered = (begin + scale).minimum(pixel + 1.0) - begin.maximum(pixel)
    return (covered.maximum(0.0) / scale).as_type(FLOAT)
