"""`edgeconv.pictures.ink` as ONNX operators: which side of the background ink is on, how strong it is, and where.

The columns of a picture are the rows of its maps: as the second of two products leaves them.
"""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.morphology import LOWEST, SIDE, both_ways, negative_closing, reaching
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
    shares, pixels = _shares(sides)
    rows, columns = shares.split(0)
    means = columns @ join([light, where(inside, light, 0.0)], axis=1) @ (rows.transpose(0, 1, 3, 2) * pixels)
    differences = where(inside, light - means, 0.0)
    difference, mirrored = differences.split(1)
    darker, brighter = reaching(join([difference, -difference], axis=1), inside).minimum(0.0).split(1)
    both = join([difference + brighter - darker, mirrored * DIGIT.mirror_share ** (1 / 3)], axis=1)
    return both.apply("Pow", 3.0).sum() > 0


def _shares(sides: Tensor) -> tuple[Tensor, Tensor]:
    """Count how often a window of `DIGIT.surroundings` around each pixel holds each one, and divide by its pixels.

    To the first of two views all goes on beyond the edge of the square as it is there, to the second beyond the sides
    as its mirror image. What a window holds of a pixel is what it holds before its end, less that before its beginning.

    Returns:
        float32, (2 axes, 2 views, SIDE, SIDE), and the pixels of a window, one element.
    """
    half = (sides.min() * (DIGIT.surroundings / 2)).floor()
    window = half * 2 + 1
    place = np.arange(SIDE + 1)
    first = np.where(place == 0, LOWEST, np.where(place == SIDE, -LOWEST, place))
    ends = np.stack([first, place, -place, -place])[:, None]  # of the window itself, of its images before and behind
    moved = sides * sides.array(np.array([0, 0, 0, 2]).reshape(4, 1, 1)) + sides.array(ends)
    covered = (moved - (half.array(place[:-1, None]) - half)).maximum(0.0).minimum(window)
    views = np.array([[1, 0, 0, 0], [0, 1, -1, -1]]).reshape(2, 4, 1, 1)
    pixels = window * window
    return covered.convolve(covered.array(views * [-1, 1]) / pixels), pixels


def strength(grey: Tensor, inside: Tensor | None = None) -> Tensor:
    """Measure dark ink as the share of the background's light that it swallows; 0 where not inside.

    What reaches in from the edge in a straight line is taken away: the table around the paper.
    """
    closed = negative_closing(grey, DIGIT.widest, inside)
    light = (closed + grey) / (DIGIT.light_offset - closed)  # the strength with its sign turned
    ink = reaching(light, inside) - light
    return ink if inside is None else where(inside, ink, 0.0)


def levels(ink: Tensor, inside: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Find the strength where the background's noise ends, and the strength of full ink; (floor, full), (1, 1) each."""
    signs = np.array([[1], [-1]])
    sides, values = ink.reshape(1, -1) * ink.array(signs), ink.reshape(-1, 1)
    if inside is not None:
        sides = where(inside.reshape(1, -1), sides, LOWEST)
    threshold, halfway = ink.max() * ink.array(signs / 2), ink.array(signs / 2 * [1, 1])
    means = threshold
    for _ in range(DIGIT.level_rounds):
        chosen = (sides >= threshold).as_type(FLOAT)  # all above the threshold, all below it
        means = (chosen @ values) / chosen.sum(1, keep=True)
        threshold = halfway @ means
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
    signs = np.array([[-1], [1]])
    ends = most * weight.array(signs)
    reach = ends.sum(2, keep=True).max() * DIGIT.outlier_distance + DIGIT.outlier_pixels
    near = (weight.array(signs * np.arange(SIDE)) <= ends + reach).as_type(FLOAT).min(2, keep=True)
    used = profiles(views, near).ramp(1 / _SOME, 0)
    begin, end = (
        used.apply("ArgMax", dtype=INT64, axis=3, keepdims=1, select_last_index=is_last).as_type(FLOAT)
        for is_last in (0, 1)
    )
    return begin, end + 1


def profiles(views: Tensor, part: Tensor) -> Tensor:
    """Sum the rows and the columns of a part of a picture that is seen `both_ways`; both are (2, 1, 1, SIDE)."""
    return part.gather(part.integers([1, 0])) @ views * part


def half_stroke_width(ink: Tensor) -> Tensor:
    """Estimate half the width of a stroke in pixels: its area over the length of its outline."""
    differences = ink.array(np.array([[[[-1, 0], [1, 0]]], [[[-1, 1], [0, 0]]]]))
    outline_of_area = ink.convolve(differences / ink.sum().maximum(TINY)).norm(1).sum()
    return 1 / outline_of_area.maximum(TINY)
