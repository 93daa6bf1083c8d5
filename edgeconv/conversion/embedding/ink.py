"""`edgeconv.pictures.ink` as ONNX operators: which side of the background ink is on, how strong it is, and where."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.morphology import LOWEST, SIDE, reaching
from edgeconv.conversion.embedding.tensors import FLOAT, INT64, Tensor, join, where
from edgeconv.recipe import DIGIT

TINY = 1e-9
"""Added where a sum may be 0, so that a picture without ink is divided too; far below any sum that counts."""

NONE = 1e-12
"""Stands for no ink in a map of weights: sums over no ink at all are not 0, and over some they do not show it."""

_SOME = 1e-6
"""More than a row of `NONE`, less than any ink that counts."""


def is_bright(grey: Tensor, sides: Tensor, inside: Tensor) -> Tensor:
    """Tell whether the ink is brighter than its background; bool, one element.

    Args:
        grey: the copy that is searched, (1, 1, SIDE, SIDE); beyond what is inside it goes on as at its edge.
        sides: float32, (2, 1, 1, 1), its rows and columns.
        inside: bool, (SIDE, SIDE).
    """
    light = (grey + DIGIT.light_offset).log()
    counts, window = _counts(sides)
    vertical, horizontal = counts.split(0)
    sums = vertical @ join([light, where(inside, light, 0.0)], axis=1) @ (horizontal.transpose(0, 1, 3, 2) / window)
    means = sums / window
    differences = where(inside, light - means, 0.0)
    difference, mirrored = differences.split(1)
    brighter, darker = reaching(join([difference, -difference], axis=1), inside).maximum(0.0).split(1)
    seen = difference - brighter + darker
    both = join([seen, mirrored * DIGIT.mirror_share ** (1 / 3)], axis=1)
    return (both * both * both).sum() > 0


def _counts(sides: Tensor) -> tuple[Tensor, Tensor]:
    """Count how often a window of `DIGIT.surroundings` around each pixel holds each one; also return its length.

    To the first of two views all goes on beyond the edge of the square as it is there, to the second beyond the sides
    as its mirror image. What a window holds of a pixel is what it holds before its end, less that before its beginning.

    Returns:
        float32, (2 axes, 2 views, SIDE, SIDE), and one element.
    """
    half = (sides.min() * (DIGIT.surroundings / 2)).floor()
    window = half * 2 + 1
    place = np.arange(SIDE + 1)
    first = np.where(place == 0, LOWEST, np.where(place == SIDE, -LOWEST, place))
    ends = np.stack([first, place, -place, -place])[:, None]  # of the window itself, of its images before and behind
    moved = sides * sides.array(np.array([0, 0, 0, 2]).reshape(4, 1, 1)) + sides.array(ends)
    covered = (moved - (half.array(place[:-1, None]) - half)).maximum(0.0).minimum(window)
    views = covered.array(np.array([[1, 0, 0, 0], [0, 1, -1, -1]]))
    covered = (views @ covered.reshape(2, 4, -1)).reshape(2, 2, SIDE, SIDE + 1)
    return covered.slice(3, 1, None) - covered.slice(3, 0, -1), window


def strength(grey: Tensor, background: Tensor) -> Tensor:
    """Measure dark ink as the share of the background's light that it swallows; the background is a closing."""
    return (background - grey) / (background + DIGIT.light_offset)


def without_border(ink: Tensor, inside: Tensor | None = None) -> Tensor:
    """Take away what reaches in from the edge in a straight line: the table around the paper; 0 where not inside."""
    seen = ink - reaching(ink, inside)
    return seen if inside is None else where(inside, seen, 0.0)


def levels(ink: Tensor, inside: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Find the strength where the background's noise ends, and the strength of full ink; (floor, full), (1, 1) each."""
    sides = join([ink, -ink], axis=1)
    sides = (sides if inside is None else where(inside, sides, LOWEST)).reshape(2, -1)
    values, signs = ink.reshape(-1, 1), ink.array(np.array([[1], [-1]]))
    threshold = ink.max() * 0.5
    means = threshold
    for _ in range(DIGIT.level_rounds):
        chosen = (sides >= signs * threshold).as_type(FLOAT)  # all above the threshold, all below it
        means = (chosen @ values) / chosen.sum(1, keep=True)
        threshold = means.mean()
    full, background = means.split(0)
    return (background * DIGIT.noise).minimum(full * 0.5), full


def bounds(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Bound the main heap of a map of weights.

    Args:
        weight: (1, 1, SIDE, SIDE), `NONE` where there is nothing.

    Returns:
        First row and column, and the ones behind the last: whole float32, (2, 1, 1, 1).
    """
    views = both_ways(weight)
    sums = views.sum(2, keep=True).running_sum(3)
    shares = weight.array(np.array([DIGIT.tail, 1 - DIGIT.tail]).reshape(1, 1, 2, 1))
    most = (sums < sums.slice(3, -1, None) * shares).as_type(FLOAT).sum(3, keep=True)
    first, last = most.split(2)
    reach = (last - first).max() * DIGIT.outlier_distance + DIGIT.outlier_pixels
    place = weight.array(np.arange(SIDE))
    near = ((place >= first - reach) & (place <= last + reach)).as_type(FLOAT)
    used = (profiles(views, near) > _SOME).as_type(FLOAT)
    begin, end = (
        used.apply("ArgMax", dtype=INT64, axis=3, keepdims=1, select_last_index=is_last).as_type(FLOAT)
        for is_last in (0, 1)
    )
    return begin, end + 1


def both_ways(grey: Tensor) -> Tensor:
    """Return a map on its side, and as it is, (2, 1, SIDE, SIDE): its rows and its columns are the columns of these."""
    return join([grey.transpose(0, 1, 3, 2), grey])


def profiles(views: Tensor, part: Tensor) -> Tensor:
    """Sum the rows and the columns of a part of a map that is seen `both_ways`; both are (2, 1, 1, SIDE)."""
    return part.gather(part.integers([1, 0])) @ views * part


def stroke_width(ink: Tensor) -> Tensor:
    """Estimate the width of a stroke in pixels: twice its area over the length of its outline."""
    left, upper = ink.slice(3, 0, -1), ink.slice(2, 0, -1)
    here = left.slice(2, 0, -1)
    down, right = left.slice(2, 1, None) - here, upper.slice(3, 1, None) - here
    outline = (down * down + right * right).sqrt().sum()
    return ink.sum() * 2 / outline.maximum(1.0)
