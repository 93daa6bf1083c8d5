"""`edgeconv.pictures.resampling` as ONNX operators: resizing as matrix products."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.colors import weights_of_grey
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, Operand, Tensor, arange, join, where
from edgeconv.pictures.resampling import BLOCK


def resample_rows(picture: Tensor, target: Operand, *, antialias: bool = True) -> Tensor:
    """Resample the rows of a picture with a triangle filter, as `triangle_weights` has it.

    Blocks of target rows read only the source rows that they need, so a large photograph costs little more than
    reading it once. All blocks read equally many.

    Args:
        picture: uint8 or float32, (rows, ...).
        target: number of rows to make.
        antialias: average over all source rows of a target row, rather than between the nearest two.

    Returns:
        float32, (target, ...).
    """
    count = picture.size(0)
    source = count.as_type(DOUBLE)
    target = picture.index(target)
    scale = source / target.as_type(DOUBLE)
    radius = scale.maximum(1.0)
    within = source.array(np.arange(BLOCK)[:, None] + 0.5, DOUBLE)
    made = arange(target.scalar(), DOUBLE, BLOCK).reshape(-1, 1, 1) + within
    centres = (made * scale - 0.5).maximum(0.0).minimum(source - 1)  # 0 is the middle of the first row
    read = ((radius * (BLOCK + 1)).as_type(INT64) + 3).minimum(count)
    first = (centres.slice(1, 0, 1) - radius).maximum(0.0).as_type(INT64).minimum(count - read)
    rows = first + arange(read.scalar(), INT64)  # (blocks, 1, read)
    distances = (rows.as_type(DOUBLE) - centres).abs()
    weights = (1 - (distances / radius if antialias else distances).as_type(FLOAT)).maximum(0.0)
    weights = weights / weights.sum(2, keep=True)
    pixels = picture.reshape(0, -1).gather(rows.reshape(0, -1)).as_type(FLOAT)  # (blocks, read, numbers in a row)
    made = (weights @ pixels).apply("Reshape", join([source.integers([-1]), picture.sizes(1)]))
    return made.slice(0, None, target)


def nearest_rows(picture: Tensor, target: Operand) -> Tensor:
    """Take the nearest row for each of `target` rows, as `nearest` has it; of the type of `picture`, (target, ...)."""
    count, target = picture.size(0), picture.index(target)
    middles = arange(target.scalar()) + 0.5
    return picture.gather((middles * (count.as_type(FLOAT) / target.as_type(FLOAT))).as_type(INT64).minimum(count - 1))


def grey_square(picture: Tensor, side: int, begin: Operand, scale: Tensor, flat: int) -> Tensor:
    """Resample a square part of a picture to grey with a trapezoid filter, as `trapezoid_weights` has it.

    Blocks of target rows read only the source rows that they need, all of them equally many.
    Colour becomes grey between the two steps, where few pixels are left: all three are linear.

    Args:
        picture: uint8, (rows, columns, channels).
        side: rows and columns to make, whole blocks.
        begin: where in the picture the square begins, in rows and columns from its edge: a number, or float32,
            (2, 1, 1, 1).
        scale: pixels of the picture in one that is made, float32, (2, 1, 1, 1) or one element.
        flat: triangles of the filter.

    Returns:
        float32, (1, 1, side, side), 0-255; columns first.
    """
    blocks = side // BLOCK
    middles = scale.array(np.arange(side).reshape(1, blocks, BLOCK, 1) + 0.5)
    centres = middles * scale + (begin - 0.5)
    radius = (scale / flat if flat > 1 else scale).maximum(1.0)
    reach = radius * ((flat + 1) / 2) if flat > 1 else radius
    count = picture.sizes(0, 2).as_type(FLOAT).reshape(2, 1, 1, 1)
    last = count - 1
    window = (scale * (BLOCK - 1.0) + radius * (flat + 1.0) + 3).floor()
    first = (centres.slice(2, 0, 1) - reach).floor()
    # No row is read twice, nor more than there are: of a picture of one row the square has as many as it has columns.
    # What a length of both axes makes one of them read too many is cut off below.
    read = window.minimum(count)
    step = arange(window.max().as_type(INT64), FLOAT)
    around, rows = first + step, first.minimum(count - read).maximum(0.0) + step  # (2, blocks, 1, window)
    distances = (join([around, rows], axis=3) - centres).abs() / radius
    beyond, within = distances.ramp(-1, (flat + 1) / 2).split(3)
    before, behind = (where(out, beyond, 0.0).sum(3, keep=True) for out in (around < 0.0, around > last))
    weights = where(rows.equals(0.0), within + before, within)
    weights = where(rows.equals(last), weights + behind, weights) / beyond.sum(3, keep=True)
    (vertical, horizontal), (upright, across) = weights.split(0), rows.as_type(INT64).reshape(2, blocks, -1).split(0)
    of_rows, of_columns = read.as_type(INT64).reshape(2).split(0)
    vertical, upright = vertical.slice(3, None, of_rows), upright.slice(2, None, of_rows)
    horizontal, across = horizontal.slice(3, None, of_columns), across.slice(2, None, of_columns)
    pixels = picture.gather(upright).reshape(0, 0, 0, -1).as_type(FLOAT)
    colours = (vertical @ pixels).reshape(side, -1, picture.size(2))
    made = (colours @ weights_of_grey(picture)).reshape(0, 0).transpose(1, 0)  # (columns, side)
    return (horizontal @ made.gather(across)).reshape(1, 1, side, side)
