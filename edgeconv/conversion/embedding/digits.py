"""`edgeconv.pictures.digits` as ONNX operators: a picture of one digit prepared as MNIST was prepared.

The steps are those of `edgeconv.pictures.digits`, which says why they are as they are.
"""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.embedding.colors import composite, grey, luma, opaque
from edgeconv.conversion.embedding.control import repeat
from edgeconv.conversion.embedding.ink import TINY, bounds, is_bright, levels, strength, stroke_width, without_border
from edgeconv.conversion.embedding.morphology import box_mean, closing, maximum, maximum_of_neighbours, wide_closing
from edgeconv.conversion.embedding.prepared import unless_prepared
from edgeconv.conversion.embedding.resampling import area_weights, resample_rows
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, UINT8, Tensor, join, where
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
        with section("shrink"):
            small = _shrink(shown)
        with section("polarity"):
            bright = is_bright(small)
        with section("find"):
            weights, found = _find(where(bright, 255 - small, small))
            begin, end = (
                bound.as_type(DOUBLE) for bound in bounds(_square(weights, DIGIT.search_side), DIGIT.search_side)
            )
            scale = shown.sizes(0, 2).as_type(DOUBLE) / small.sizes(2, 4).as_type(DOUBLE)
        with section("cut"):
            canvas, zoom = _cut(shown, begin * scale, end * scale)
        with section("ink"):
            ink = _ink(where(bright, 255 - canvas, canvas), zoom)
        with section("widen"):
            ink = _widen(ink)
        with section("draw"):
            made = _draw(ink, height, width, box) * found.as_type(FLOAT)
            return [made.as_type(UINT8).reshape(1, height, width, 1), found]

    return unless_prepared(shown, height, width, prepare)


def _opaque(picture: Tensor) -> Tensor:
    """Lay a transparent picture over an even background that its ink stands out from."""
    alpha = picture.slice(2, 3, None).as_type(FLOAT).reshape(0, -1) / 255
    shades = luma(picture.slice(2, 0, 3))
    mass = _sum(alpha).maximum(TINY)
    mean = _sum(shades * alpha) / mass
    off = shades - mean
    spread = (_sum(off * off * alpha) / mass).sqrt()
    is_paper = (alpha.mean() > DIGIT.least_paper) & (spread > DIGIT.least_spread)
    return composite(picture, where(is_paper, mean.round(), where(mean < DIGIT.middle_grey, mean.like(255), 0.0)))


def _sum(values: Tensor) -> Tensor:
    """Sum row by row: one long sum of float32 would lose digits."""
    return values.sum(1).sum()


def _square(grey: Tensor, side: int) -> Tensor:
    """Add zeros behind the rows and columns of a map, until there are `side` of each."""
    behind = grey.integers([1, 1, side, side]) - grey.sizes(0, 4)
    return grey.apply("Pad", join([grey.integers([0] * 4), behind]))


def _shrink(picture: Tensor) -> Tensor:
    sizes = picture.sizes(0, 2).as_type(DOUBLE)
    scale = (DIGIT.search_side / sizes.max()).minimum(1.0)
    sizes = (sizes * scale).round().maximum(1.0).as_type(INT64)
    return _grey_copy(picture, sizes.slice(0, 0, 1), sizes.slice(0, 1, 2))


def _grey_copy(
    picture: Tensor,
    height: int | Tensor,
    width: int | Tensor,
    begin: Tensor | None = None,
    end: Tensor | None = None,
) -> Tensor:
    """Resample a part of a picture, by default all, to a grey map of that size; float32, (1, 1, height, width).

    Colour becomes grey between the two steps, where few pixels are left: all three are linear.
    """
    rows, columns = (
        (0.0, None) if begin is None or end is None else (begin.slice(0, axis, axis + 1), end.slice(0, axis, axis + 1))
        for axis in (0, 1)
    )
    copy = grey(resample_rows(picture, height, *rows))
    copy = resample_rows(copy.transpose(1, 0), width, *columns).transpose(1, 0)
    return copy.reshape(1, 1, height, width)


def _find(small: Tensor) -> tuple[Tensor, Tensor]:
    """Map the strength of the ink, and 0 where there is none; also tell whether there is any."""
    half = (small.sizes(2, 4).max().as_type(DOUBLE) * (DIGIT.widest / 2)).floor().maximum(1.0).as_type(INT64).reshape(1)
    smooth = box_mean(small, DIGIT.smoothing)
    background = wide_closing(smooth, half * 2 + 1, int(DIGIT.search_side * DIGIT.widest) | 1)
    ink = without_border(strength(smooth, background), DIGIT.search_side)
    floor, full = levels(ink)
    found = full >= (floor * DIGIT.clearest_noise).maximum(DIGIT.faintest)
    return where(ink > (floor + full) / 2, ink, 0.0), found


def _cut(picture: Tensor, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Resample the digit and its margin onto the canvas; also return the canvas pixels in one of the picture."""
    side = (end - begin).max() * (1 + 2 * DIGIT.margin)
    sums = begin + end
    canvas = _grey_copy(picture, DIGIT.canvas, DIGIT.canvas, (sums - side) / 2, (sums + side) / 2)
    return canvas, (DIGIT.canvas / side).as_type(FLOAT)


def _ink(canvas: Tensor, zoom: Tensor) -> Tensor:
    """Draw the ink on the canvas with full contrast; float32, 0-1."""
    ink = without_border(strength(canvas, closing(canvas, DIGIT.widest_on_canvas)), DIGIT.canvas)
    floor, full = levels(ink)
    gain = (DIGIT.edge / zoom).clip(DIGIT.least_gain, DIGIT.most_gain)
    ink = (((ink - floor) / (full - floor).maximum(TINY) - 0.5) * gain + 0.5).clip(0.0, 1.0)
    solid = (box_mean(ink, DIGIT.solid_window) > DIGIT.solid).as_type(FLOAT)
    return where(solid.max() > 0.0, ink * maximum(solid, DIGIT.solid_dilation), ink)


def _widen(ink: Tensor) -> Tensor:
    """Widen strokes that are thinner than MNIST's."""
    begin, end = bounds(ink * (ink > DIGIT.stroke).as_type(FLOAT), DIGIT.canvas)
    size = (end - begin).max().as_type(FLOAT)
    missing = (size * DIGIT.thinnest - stroke_width(ink)) / 2

    def twice(ink: Tensor, missing: Tensor) -> list[Tensor]:
        for widest in (lambda ink: maximum(ink, 3), maximum_of_neighbours):
            ink, missing = ink + missing.clip(0.0, 1.0) * (widest(ink) - ink), missing - 1
        return [ink, missing]

    # Two steps a round: where their number is odd, the last one changes nothing.
    rounds, missing = (DIGIT.widening_steps + 1) // 2, missing.minimum(float(DIGIT.widening_steps))
    return repeat("twice", rounds, twice, ink, missing, again=lambda _, missing: missing > 0)[0]


def _draw(ink: Tensor, height: int, width: int, box: int) -> Tensor:
    """Scale the ink's bounding box into `box`, put its centre of mass in the middle; float32, whole, 0-255."""
    canvas = DIGIT.canvas
    begin, end = bounds(where(ink > DIGIT.drawn, ink, 0.0), canvas)
    scale = (end - begin).max().as_type(DOUBLE) / box
    digit = _square(ink.cut(begin, end), canvas).reshape(1, canvas, canvas)
    place = scale.array(np.arange(canvas) + 0.5, DOUBLE)
    profiles = join([digit.sum(2), digit.sum(1)]).as_type(DOUBLE)
    middle = (profiles * place).sum(1) / profiles.sum(1).maximum(TINY) / scale
    offset = (scale.array(np.array([height, width]) / 2 + 0.5, DOUBLE) - middle).round()
    weights = area_weights(canvas, max(height, width), scale, offset.reshape(2, 1, 1))
    vertical, horizontal = weights.slice(0, 0, 1), weights.slice(0, 1, 2)
    made = vertical @ digit @ horizontal.transpose(0, 2, 1)
    made = made.cut(made.integers([0, 0]), made.integers([height, width]))
    return (made * (255 / made.max().maximum(TINY))).clip(0.0, 255.0).round()
