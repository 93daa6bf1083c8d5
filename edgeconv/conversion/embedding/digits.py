"""`edgeconv.digits` as ONNX operators: a picture of one digit prepared as MNIST was prepared.

The steps are those of `edgeconv.digits`, which says why they are as they are.
"""

from __future__ import annotations

from edgeconv.conversion.embedding.colors import composite, grey, luma, opaque
from edgeconv.conversion.embedding.ink import TINY, bounds, is_bright, levels, strength, stroke_width, without_border
from edgeconv.conversion.embedding.morphology import box_mean, closing, maximum, maximum_of_neighbours, wide_closing
from edgeconv.conversion.embedding.prepared import unless_prepared
from edgeconv.conversion.embedding.resampling import area_weights, resample_rows
from edgeconv.conversion.embedding.tensors import DOUBLE, FLOAT, INT64, UINT8, Tensor, arange, where
from edgeconv.digits import (
    CANVAS,
    CLEAREST_NOISE,
    FAINTEST,
    MARGIN,
    SEARCH,
    THINNEST,
    WIDEST,
    WIDEST_ON_CANVAS,
)

Bounds = tuple[Tensor, Tensor]
"""Begin and end on an axis, float64, one element each."""


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
            top, bottom, left, right = (bound.as_type(DOUBLE) for bound in bounds(weights))
            rows, columns = (shown.size(axis).as_type(DOUBLE) / _length(small, axis) for axis in (0, 1))
        with section("cut"):
            canvas, zoom = _cut(shown, (top * rows, bottom * rows), (left * columns, right * columns))
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
    is_paper = (alpha.mean() > 0.5) & (spread > 10.0)
    return composite(picture, where(is_paper, mean.round(), where(mean < 128.0, mean.like(255), 0.0)))


def _sum(values: Tensor) -> Tensor:
    """Sum row by row: one long sum of float32 would lose digits."""
    return values.sum(1).sum()


def _length(small: Tensor, axis: int) -> Tensor:
    """Return the rows (0) or columns (1) of a map."""
    return small.size(2 + axis).as_type(DOUBLE)


def _shrink(picture: Tensor) -> Tensor:
    rows, columns = (picture.size(axis).as_type(DOUBLE) for axis in (0, 1))
    scale = (SEARCH / rows.maximum(columns)).minimum(1.0)
    height, width = ((length * scale).round().maximum(1.0).as_type(INT64) for length in (rows, columns))
    return _grey_copy(picture, height, width)


def _grey_copy(
    picture: Tensor,
    height: int | Tensor,
    width: int | Tensor,
    rows: Bounds | None = None,
    columns: Bounds | None = None,
) -> Tensor:
    """Resample a part of a picture, by default all, to a grey map of that size; float32, (1, 1, height, width).

    Colour becomes grey between the two steps, where few pixels are left: all three are linear.
    """
    whole = (0.0, None)
    copy = resample_rows(picture.reshape(0, -1), height, *(rows or whole))
    copy = grey(copy.reshape(0, picture.size(1), picture.size(2)))
    copy = resample_rows(copy.transpose(1, 0), width, *(columns or whole)).transpose(1, 0)
    return copy.reshape(1, 1, height, width)


def _find(small: Tensor) -> tuple[Tensor, Tensor]:
    """Map the strength of the ink, and 0 where there is none; also tell whether there is any."""
    longest = _length(small, 0).maximum(_length(small, 1))
    half = (longest * WIDEST / 2).floor().maximum(1.0).as_type(INT64)
    smooth = box_mean(small, 3)
    background = wide_closing(smooth, half * 2 + 1, int(SEARCH * WIDEST) | 1)
    ink = without_border(strength(smooth, background), SEARCH)
    floor, full = levels(ink)
    found = full >= (floor * CLEAREST_NOISE).maximum(FAINTEST)
    return where(ink > (floor + full) / 2, ink, 0.0), found


def _cut(picture: Tensor, rows: Bounds, columns: Bounds) -> tuple[Tensor, Tensor]:
    """Resample the digit and its margin onto the canvas; also return the canvas pixels in one of the picture."""
    side = (rows[1] - rows[0]).maximum(columns[1] - columns[0]) * (1 + 2 * MARGIN)
    vertical, horizontal = (((begin + end - side) / 2, (begin + end + side) / 2) for begin, end in (rows, columns))
    return _grey_copy(picture, CANVAS, CANVAS, vertical, horizontal), (CANVAS / side).as_type(FLOAT)


def _ink(canvas: Tensor, zoom: Tensor) -> Tensor:
    """Draw the ink on the canvas with full contrast; float32, 0-1."""
    ink = without_border(strength(canvas, closing(canvas, WIDEST_ON_CANVAS)), CANVAS)
    floor, full = levels(ink)
    gain = (3 / zoom).clip(1.0, 6.0)
    ink = (((ink - floor) / (full - floor).maximum(TINY) - 0.5) * gain + 0.5).clip(0.0, 1.0)
    solid = (box_mean(ink, 7) > 0.3).as_type(FLOAT)
    return where(solid.max() > 0.0, ink * maximum(solid, 13), ink)


def _widen(ink: Tensor) -> Tensor:
    """Widen strokes that are thinner than MNIST's."""
    top, bottom, left, right = bounds(ink * (ink > 0.5).as_type(FLOAT))
    size = (bottom - top).maximum(right - left).as_type(FLOAT)
    missing = (size * (THINNEST / 20) - stroke_width(ink)) / 2
    for step in range(5):
        wider = maximum(ink, 3) if step % 2 == 0 else maximum_of_neighbours(ink)
        ink = ink + (missing - step).clip(0.0, 1.0) * (wider - ink)
    return ink


def _draw(ink: Tensor, height: int, width: int, box: int) -> Tensor:
    """Scale the ink's bounding box into `box`, put its centre of mass in the middle; float32, whole, 0-255."""
    top, bottom, left, right = bounds(where(ink > 0.3, ink, 0.0))
    scale = (bottom - top).maximum(right - left).as_type(DOUBLE) / box
    digit = ink.cut(top, bottom, left, right).reshape(bottom - top, right - left)
    vertical = area_weights(bottom - top, height, scale, _offset(digit.sum(1), height, scale))
    horizontal = area_weights(right - left, width, scale, _offset(digit.sum(0), width, scale))
    made = vertical @ digit @ horizontal.transpose(1, 0)
    return (made * (255 / made.max().maximum(TINY))).clip(0.0, 255.0).round()


def _offset(profile: Tensor, target: int, scale: Tensor) -> Tensor:
    """Find the whole target pixel where the digit begins, so that its centre of mass falls on `target / 2`."""
    profile = profile.as_type(DOUBLE)
    middle = (profile * (arange(profile.size(0), DOUBLE) + 0.5)).sum() / profile.sum().maximum(TINY) / scale
    return (target / 2 + 0.5 - middle).round()
