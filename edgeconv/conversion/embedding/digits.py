"""`edgeconv.pictures.digits` as ONNX operators: a picture of one digit prepared as MNIST was prepared.

The steps are those of `edgeconv.pictures.digits`, which says why they are as they are.
"""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.colors import composite, luma, opaque
from edgeconv.conversion.embedding.ink import (
    NONE,
    TINY,
    bounds,
    half_stroke_width,
    is_bright,
    levels,
    profiles,
    strength,
)
from edgeconv.conversion.embedding.morphology import SIDE, both_ways, box_mean, maximum, maximum_of_neighbours
from edgeconv.conversion.embedding.prepared import unless_prepared
from edgeconv.conversion.embedding.resampling import grey_square
from edgeconv.conversion.embedding.tensors import FLOAT, UINT8, Tensor, join, where
from edgeconv.recipe import DIGIT


def center_digit(picture: Tensor, height: int, width: int, box: int) -> tuple[Tensor, Tensor]:
    """Find a digit in a picture and prepare it as MNIST was prepared.

    Args:
        picture: uint8, (height, width, channels); 1, 3 or 4 channels.
        height: rows of the result.
        width: columns of the result.
        box: longer side of the digit in the result.

    Returns:
        uint8, (1, height, width, 1), white ink on black, all 0 where there is none; bool, whether there is any.
    """
    section = picture.recorder.section
    with section("transparency"):
        shown = opaque(picture, _opaque)

    def prepare() -> list[Tensor]:
        with section("search"):
            small, sides, step = _search_copy(shown)
            inside = _inside(sides)
        with section("polarity"):
            bright = is_bright(small, sides, inside)
        with section("find"):
            weights, found = _find(where(bright, 255 - small, small), inside)
            begin, end = (bound * step for bound in bounds(weights))
        with section("cut"):
            canvas, step = _cut(shown, begin, end)
        with section("ink"):
            ink = _ink(where(bright, 255 - canvas, canvas), step)
        with section("widen"):
            ink = _widen(ink)
        with section("draw"):
            made = where(found, _draw(ink, height, width, box), 0.0)
            return [made.as_type(UINT8).reshape(1, height, width, 1), found.reshape(1)]

    return unless_prepared(shown, height, width, prepare)


def _opaque(picture: Tensor) -> Tensor:
    """Lay a transparent picture over an even background that its ink stands out from."""
    alpha = picture.slice(2, 3, None).as_type(FLOAT).reshape(0, -1) / 255
    shades = luma(picture.slice(2, None, 3), 3)
    mass = _sum(alpha).maximum(TINY)
    mean = _sum(shades * alpha) / mass
    off = shades - mean
    variance = _sum(off * off * alpha) / mass
    is_paper = (alpha.mean() > DIGIT.least_paper) & (variance > DIGIT.least_spread**2)
    return composite(picture, where(is_paper, mean.round(), where(mean < DIGIT.middle_grey, mean.like(255), 0.0)))


def _sum(values: Tensor) -> Tensor:
    """Sum row by row: one long sum of float32 would lose digits."""
    return values.sum(1).sum()


def _search_copy(picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the copy that is searched; its rows and columns, and the picture's pixels in one of it, (2, 1, 1, 1)."""
    sizes = picture.sizes(0, 2).as_type(FLOAT).reshape(2, 1, 1, 1)
    sides = (sizes / (sizes.max() / SIDE)).round().maximum(1.0)
    step = sizes / sides
    return grey_square(picture, SIDE, 0.0, step, DIGIT.smoothing), sides, step


def _inside(sides: Tensor) -> Tensor:
    """Tell which pixels of a map are not beyond the sides of what it shows; bool, (1, 1, SIDE, SIDE)."""
    rows, columns = sides.split(0)
    place = np.arange(SIDE)
    return (sides.array(place[:, None]) < columns) & (sides.array(place) < rows)


def _find(small: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Map the strength of the ink, and `NONE` where there is none; also tell whether there is any."""
    ink = strength(small, inside)
    floor, full = levels(ink, inside)
    found = full >= (floor * DIGIT.clearest_noise).maximum(DIGIT.faintest)
    return where(ink > (floor + full) * 0.5, ink, NONE), found


def _cut(picture: Tensor, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Resample the digit and its margin onto the canvas; also return the picture's pixels in one of the canvas."""
    side = (end - begin).max() * (1 + 2 * DIGIT.margin)
    step = side / SIDE
    return grey_square(picture, SIDE, (begin + end - side) * 0.5, step, 1), step


def _ink(canvas: Tensor, step: Tensor) -> Tensor:
    """Draw the ink on the canvas with full contrast; float32, 0-1."""
    ink = strength(canvas)
    floor, full = levels(ink)
    gain = (step * DIGIT.edge).clip(DIGIT.least_gain, DIGIT.most_gain)
    ink = (((ink - floor) / (full - floor).maximum(TINY) - 0.5) * gain).ramp(1, 0.5)
    solid = (box_mean(ink, DIGIT.solid_window) > DIGIT.solid).as_type(FLOAT)
    return where(solid.max() > 0.0, ink * maximum(solid, DIGIT.solid_dilation), ink)


def _widen(ink: Tensor) -> Tensor:
    """Widen strokes that are thinner than MNIST's."""
    steps = DIGIT.widening_steps
    missing = DIGIT.thinnest * DIGIT.canvas / (1 + 2 * DIGIT.margin) / 2 - half_stroke_width(ink)
    widened = [ink]
    for number in range(steps):
        widened.append(maximum(widened[-1], 3) if number % 2 == 0 else maximum_of_neighbours(widened[-1]))
    # All steps are whole but the last: what is drawn lies between two that follow one another.
    away = missing.clip(0.0, steps) - missing.array(np.arange(steps + 1.0).reshape(-1, 1, 1))
    return (join(widened, axis=1) * away.abs().ramp(-1, 1)).sum(1, keep=True)


def _draw(ink: Tensor, height: int, width: int, box: int) -> Tensor:
    """Scale the ink's bounding box into `box`, put its centre of mass in the middle; float32, whole, 0-255."""
    begin, end = bounds(where(ink > DIGIT.drawn, ink, NONE))
    scale = (end - begin).max() / box
    place, behind = (ink.array(np.arange(SIDE) + more) for more in (0, 1))
    part = ((place >= begin) & (place < end)).as_type(FLOAT)
    moments = ink.array(np.stack([np.arange(SIDE) + 0.5, np.ones(SIDE)], axis=1))
    moment, mass = (profiles(both_ways(ink), part) @ moments).split(3)
    middle = (moment / mass.maximum(TINY) - begin) / scale
    offset = (ink.array(np.array([height, width]).reshape(2, 1, 1, 1) / 2 + 0.5) - middle).round()
    # How much of each pixel of the canvas lies in each of the result: not divided by `scale`, for the brightest is 255.
    first = (ink.array(np.arange(max(height, width))[:, None]) - offset) * scale + begin
    (rows, columns), (upright, across) = (
        each.split(0) for each in ((first + scale).minimum(behind) - first.maximum(place), part)
    )
    ink = ink.transpose(0, 1, 3, 2)
    made = (rows.maximum(0.0) * upright) @ (ink * across) @ columns.transpose(0, 1, 3, 2).maximum(0.0)
    if height != width:
        made = made.cut(made.integers([0, 0]), made.integers([height, width]))
    return (made * (255 / made.max().maximum(TINY))).round()
