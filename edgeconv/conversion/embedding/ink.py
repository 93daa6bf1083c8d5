"""`edgeconv.pictures.ink` as ONNX operators: which side of the background ink is on, how strong it is, and where."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.control import repeat
from edgeconv.conversion.embedding.morphology import box_mean, minimum_so_far, wide_box_mean
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, Tensor, join
from edgeconv.recipe import DIGIT

TINY = 1e-9
"""Added where a sum may be 0, so that a picture without ink is divided too; far below any sum that counts."""


def is_bright(grey: Tensor) -> Tensor:
    """Tell whether the ink is brighter than its background; bool, one element."""
    light = (box_mean(grey, DIGIT.smoothing) + DIGIT.light_offset).log()
    shorter = grey.size(2).minimum(grey.size(3)).as_type(DOUBLE)
    half = (shorter * DIGIT.surroundings / 2).floor().as_type(FLOAT)  # of the window, made odd
    difference = light - wide_box_mean(light, half)
    sides = without_border(join([difference, -difference], axis=1).maximum(0.0), DIGIT.search_side)
    mirrored = light - wide_box_mean(light, half, mirror=True)
    moment = _cubes(sides.slice(1, 0, 1)) - _cubes(sides.slice(1, 1, 2)) + _cubes(mirrored) * DIGIT.mirror_share
    return moment > 0


def _cubes(values: Tensor) -> Tensor:
    return (values * values * values).sum()


def strength(grey: Tensor, background: Tensor) -> Tensor:
    """Measure dark ink as the share of the background's light that it swallows; the background is a closing."""
    return (background - grey) / (background + DIGIT.light_offset)


def without_border(ink: Tensor, longest: int) -> Tensor:
    """Take away what reaches in from the picture's edge in a straight line: the table around the paper.

    Args:
        ink: the maps.
        longest: the most rows or columns that they can have.
    """
    views = [view for axis in (2, 3) for view in minimum_so_far(ink, axis, longest)]
    return ink - views[0].apply("Max", *views[1:])


def levels(ink: Tensor) -> tuple[Tensor, Tensor]:
    """Find the strength where the background's noise ends, and the strength of full ink; (floor, full)."""

    def separate(background: Tensor, full: Tensor) -> list[Tensor]:
        above = (ink > (background + full) / 2).as_type(FLOAT)
        # Nothing is above only where all is 0; then the mean, 0 / 1, is full ink too.
        return [_mean(ink, 1 - above), _mean(ink, above)]

    background, full = repeat("levels", DIGIT.level_rounds, separate, ink.like(0), ink.max())
    return (background * DIGIT.noise).minimum(full / 2), full


def _mean(ink: Tensor, share: Tensor) -> Tensor:
    return (ink * share).sum() / share.sum().maximum(1.0)


def bounds(weight: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Bound the main heap of a map of weights.

    Args:
        weight: (1, 1, side, side), not negative.
        side: rows and columns.

    Returns:
        First row and column, and the ones behind the last: int64, (2,).
    """
    place = weight.array(np.arange(side) + 0.5)
    square = weight.reshape(1, side, side)
    views = join([square.transpose(0, 2, 1), square])  # their rows summed are the profile of the rows, of the columns

    def look(profiles: Tensor) -> list[Tensor]:
        mass = profiles.sum(2, keep=True).maximum(TINY)
        off = place - (profiles * place).sum(2, keep=True) / mass
        spread = ((profiles * off * off).sum(2, keep=True) / mass).max().sqrt()
        near = (off.abs() <= spread * DIGIT.outlier_deviations + DIGIT.outlier_pixels).as_type(FLOAT)
        return [near.gather(near.integers([1, 0])) @ views * near]

    profiles = repeat("heap", DIGIT.outlier_rounds, look, views.sum(1, keep=True))[0]
    used = (profiles.reshape(2, side) > 0).as_type(FLOAT)
    first, last = (
        used.apply("ArgMax", dtype=INT64, axis=1, keepdims=0, select_last_index=is_last) for is_last in (0, 1)
    )
    return first, last + 1


def stroke_width(ink: Tensor) -> Tensor:
    """Estimate the width of a stroke in pixels: twice its area over the length of its outline."""
    left, upper = ink.slice(3, 0, -1), ink.slice(2, 0, -1)
    here = left.slice(2, 0, -1)
    down, right = left.slice(2, 1, None) - here, upper.slice(3, 1, None) - here
    outline = (down * down + right * right).sqrt().sum()
    return ink.sum() * 2 / outline.maximum(1.0)
