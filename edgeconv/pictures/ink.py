"""Find ink in a photograph: which side of the background it is on, how strong it is, and where.

Everything here is a fixed sequence of means, maxima, sums and comparisons over the whole picture; nothing follows
contours or counts components. So it can be written as standard tensor operators too.
"""

from __future__ import annotations

import math

import numpy as np

from edgeconv.pictures.morphology import Grey, accumulate_rows, box_mean, closing
from edgeconv.recipe import DIGIT


def is_bright(grey: Grey) -> bool:
    """Tell whether the ink is brighter than its background.

    Ink covers the smaller part of its surroundings, so the differences to the local mean are few and large on its
    side: the sign of their third moment. The edge of a shadow differs as much to both sides, and cancels out.
    Logarithms make a difference mean the same in light and in shadow.

    At the border the surroundings are guessed in two ways, and the moments added. If the paper goes on beyond the
    border, a bold digit that fills the picture is seen right; what reaches in from there (a table) does not count.
    If all goes on as its mirror image, dark corners are seen right.

    Args:
        grey: float32, (height, width), 0-255.
    """
    light = np.log(grey + DIGIT.light_offset)
    window = int(min(grey.shape) * DIGIT.surroundings) | 1
    difference = light - box_mean(light, window)
    brighter, darker = (without_border(np.maximum(side, 0)) for side in (difference, -difference))
    mirrored = light - box_mean(light, window, mirror=True)
    moment = _cubes(brighter) - _cubes(darker) + DIGIT.mirror_share * _cubes(mirrored)
    return moment > 0


def _cubes(values: Grey) -> float:
    """Sum the third powers; numpy's `**` is ten times as slow."""
    return float((values * values * values).sum())


def strength(grey: Grey, window: int) -> Grey:
    """Measure dark ink as the share of the background's light that it swallows.

    The background is the picture with all that is narrower than `window` painted over, so it follows uneven light,
    and even the edge of a shadow.

    Args:
        grey: float32, (height, width), 0-255.
        window: odd, in pixels; wider than any stroke.

    Returns:
        float32, (height, width), 0-1.
    """
    background = closing(grey, window)
    return (background - grey) / (background + DIGIT.light_offset)


def without_border(ink: Grey) -> Grey:
    """Take away what reaches in from the picture's edge in a straight line: the table around the paper."""
    return ink - np.maximum(_reaching(ink), _reaching(ink.T).T)


def _reaching(ink: Grey) -> Grey:
    """Map the weakest ink between each pixel and the upper or the lower edge, whichever is the stronger."""
    weakest = np.empty((len(ink), 2, ink.shape[1]), ink.dtype)
    weakest[:, 0], weakest[:, 1] = ink, ink[::-1]
    accumulate_rows(np.minimum, weakest)
    return np.maximum(weakest[:, 0], weakest[::-1, 1])


def levels(ink: Grey) -> tuple[float, float]:
    """Find the strength where the background's noise ends, and the strength of full ink.

    The threshold goes halfway between the means of what lies above and below it, over and over (Ridler and Calvard,
    "Picture thresholding using an iterative selection method", 1978). It begins high, for ink can be a thousandth of
    a picture. Noise makes the background's strength a heap that begins at 0, so it ends at about twice its mean.

    Args:
        ink: strengths, float32, (height, width).

    Returns:
        Floor and full strength; the floor is at most half of the full strength.
    """
    background, full = 0.0, float(ink.max())
    for _ in range(DIGIT.level_rounds):
        above = ink > (background + full) / 2
        full = float(ink.mean(where=above)) if above.any() else full
        background = float(ink.mean(where=~above))
    return min(DIGIT.noise * background, full / 2), full


def bounds(weight: Grey) -> tuple[int, int, int, int]:
    """Bound the main heap of a map of weights; top, bottom, left, right.

    What lies far from the rows and columns between which most of the mass is, measured by their distance, is dust.
    """
    sums = [np.cumsum(weight.sum(axis=1 - axis)) for axis in (0, 1)]
    most = [[int((total < share * total[-1]).sum()) for share in (DIGIT.tail, 1 - DIGIT.tail)] for total in sums]
    reach = DIGIT.outlier_distance * max(last - first for first, last in most) + DIGIT.outlier_pixels
    top, left = (max(0, math.ceil(first - reach)) for first, _ in most)
    bottom, right = (math.floor(last + reach) + 1 for _, last in most)
    inside = weight[top:bottom, left:right]
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return top + int(rows[0]), top + int(rows[-1]) + 1, left + int(columns[0]), left + int(columns[-1]) + 1


def stroke_width(ink: Grey) -> float:
    """Estimate the width of a stroke in pixels: twice its area over the length of its outline.

    Args:
        ink: float32, (height, width), 0-1. The sum of its slopes is the length of its outline (coarea formula).
    """
    down, right = ink[1:, :-1] - ink[:-1, :-1], ink[:-1, 1:] - ink[:-1, :-1]
    outline = float(np.hypot(down, right).sum())
    return 2 * float(ink.sum()) / max(1.0, outline)
