"""`edgeconv.resampling` as ONNX operators: antialiased resizing as matrix products."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, Operand, Tensor, arange
from edgeconv.resampling import BLOCK


def resample_rows(picture: Tensor, target: Operand, begin: Operand = 0.0, end: Tensor | None = None) -> Tensor:
    """Resample the rows of a picture with a triangle filter, as `triangle_weights` has it.

    Blocks of target rows read only the source rows that they need, so a large photograph costs little more than
    reading it once. All blocks read equally many.

    Args:
        picture: uint8 or float32, (rows, numbers in a row).
        target: number of rows to make.
        begin: where in the source the target begins, in rows from its edge.
        end: where the target ends; by default at the other edge.

    Returns:
        float32, (target, numbers in a row).
    """
    count = picture.size(0)
    source = count.as_type(DOUBLE)
    target = picture.index(target)
    scale = ((source if end is None else end) - begin) / target.as_type(DOUBLE)
    blocks = (target + (BLOCK - 1)) // BLOCK
    made = arange(blocks * BLOCK, DOUBLE)
    centres = ((made + 0.5) * scale + begin).maximum(0.5).minimum(source - 0.5).reshape(-1, BLOCK, 1)
    radius = scale.maximum(1.0)
    read = (scale * (BLOCK - 1) + radius * 2).ceil().as_type(INT64) + 2
    read = read.minimum(count)
    first = (centres.slice(1, 0, 1) - radius).floor().as_type(INT64).maximum(0).minimum(count - read)
    rows = first + arange(read, INT64)  # (blocks, 1, read)
    distances = (rows.as_type(DOUBLE) + 0.5 - centres).as_type(FLOAT).abs() / radius.as_type(FLOAT)
    weights = (1 - distances).maximum(0.0)
    weights = weights / weights.sum(2, keep=True)
    pixels = picture.gather(rows.reshape(0, -1)).as_type(FLOAT)  # (blocks, read, numbers in a row)
    product = weights @ pixels
    return product.reshape(-1, picture.size(1)).slice(0, None, target)


def area_weights(source: Tensor, target: int, scale: Tensor, offset: Tensor) -> Tensor:
    """Build the matrix that averages `scale` source pixels into each target pixel.

    Args:
        source: number of pixels to read, int64; beyond them there is nothing.
        target: number of pixels to make.
        scale: source pixels in one target pixel, float64.
        offset: target pixel on which the source begins, float64.

    Returns:
        float32, (target, source): the share of each target pixel that each source pixel covers.
    """
    made = scale.floats(np.arange(target)[:, None]).as_type(DOUBLE)
    begin = (made - offset) * scale
    pixel = arange(source, DOUBLE)
    covered = (begin + scale).minimum(pixel + 1.0) - begin.maximum(pixel)
    return (covered.maximum(0.0) / scale).as_type(FLOAT)
