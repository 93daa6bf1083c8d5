"""`edgeconv.ink` as ONNX operators: which side of the background ink is on, how strong it is, and where."""

from __future__ import annotations

from edgeconv.conversion.embedding.morphology import box_mean, minimum_so_far, wide_box_mean
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, Tensor, arange, join, where
from edgeconv.digits import SEARCH
from edgeconv.ink import MIRROR_SHARE, OFFSET, REACH, SURROUNDINGS

TINY = 1e-9
"""Added where a sum may be 0, so that a picture without ink is divided too; far below any sum that counts."""


def is_bright(grey: Tensor) -> Tensor:
    """Tell whether the ink is brighter than its background; bool, one element."""
    light = (box_mean(grey, 3) + OFFSET).log()
    shorter = grey.size(2).minimum(grey.size(3)).as_type(DOUBLE)
    half = (shorter * SURROUNDINGS / 2).floor().as_type(FLOAT)  # of the window, made odd
    difference = light - wide_box_mean(light, half)
    sides = without_border(join([difference, -difference], axis=1).maximum(0.0), SEARCH)
    mirrored = light - wide_box_mean(light, half, mirror=True)
    moment = _cubes(sides.slice(1, 0, 1)) - _cubes(sides.slice(1, 1, 2)) + _cubes(mirrored) * MIRROR_SHARE
    return moment > 0


def _cubes(values: Tensor) -> Tensor:
    return (values * values * values).sum()


def strength(grey: Tensor, background: Tensor) -> Tensor:
    """Measure dark ink as the share of the background's light that it swallows; the background is a closing."""
    return (background - grey) / (background + OFFSET)


def without_border(ink: Tensor, longest: int) -> Tensor:
    """Take away what reaches in from the picture's edge in a straight line: the table around the paper.

    Args:
        ink: the maps.
        longest: the most rows or columns that they can have.
    """
    views = [minimum_so_far(ink, axis, longest, backward=backward) for axis in (2, 3) for backward in (False, True)]
    return ink - views[0].maximum(views[1]).maximum(views[2]).maximum(views[3])


def levels(ink: Tensor) -> tuple[Tensor, Tensor]:
    """Find the strength where the background's noise ends, and the strength of full ink; (floor, full)."""
    full = ink.max()
    background = full * 0
    for _ in range(4):
        above = (ink > (background + full) / 2).as_type(FLOAT)
        count = above.sum()
        full = where(count > 0, (ink * above).sum() / count.maximum(1.0), full)
        below = 1 - above
        background = (ink * below).sum() / below.sum().maximum(1.0)
    return (background * 2).minimum(full / 2), full


def bounds(weight: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Bound the main heap of a map of weights; top, bottom, left, right: int64, one element."""
    y, x = arange(weight.size(2)) + 0.5, arange(weight.size(3)) + 0.5
    inside = weight
    for _ in range(4):
        rows, columns = inside.sum(0, 1, 3), inside.sum(0, 1, 2)
        mass = rows.sum().maximum(TINY)
        off_y, off_x = y - (rows * y).sum() / mass, x - (columns * x).sum() / mass
        spread = ((rows * off_y * off_y).sum().maximum((columns * off_x * off_x).sum()) / mass).sqrt()
        reach = spread * REACH + 1
        near = (off_y.abs() <= reach).reshape(-1, 1) & (off_x.abs() <= reach)
        inside = weight * near.as_type(FLOAT)
    return (*_used(inside.max(0, 1, 3)), *_used(inside.max(0, 1, 2)))


def _used(profile: Tensor) -> tuple[Tensor, Tensor]:
    """Find the first place that is not 0, and the one behind the last."""
    used = (profile > 0).as_type(FLOAT)
    first = used.apply("ArgMax", dtype=INT64, axis=0)
    return first, used.apply("ArgMax", dtype=INT64, axis=0, select_last_index=1) + 1


def stroke_width(ink: Tensor) -> Tensor:
    """Estimate the width of a stroke in pixels: twice its area over the length of its outline."""
    here = ink.cut(0, -1, 0, -1)
    down, right = ink.cut(1, None, 0, -1) - here, ink.cut(0, -1, 1, None) - here
    outline = (down * down + right * right).sqrt().sum()
    return ink.sum() * 2 / outline.maximum(1.0)
