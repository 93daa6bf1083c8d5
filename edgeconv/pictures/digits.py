"""Prepare a picture of one digit as MNIST was prepared: white on black, scaled into a box, centred by its mass.

The steps, from a photograph of any size to 28x28:

1. lay transparent pictures over what their ink stands out from; look at a small grey copy
2. tell dark ink from bright ink, and turn bright ink dark (`ink.is_bright`)
3. measure ink against the light around it, leave out the table's edge and dust, bound the digit
4. cut the digit out of the full picture, onto a canvas of fixed size
5. measure ink again there, and draw it with full contrast; widen strokes that are thinner than MNIST's
6. scale the ink's bounding box into `box` x `box`, and put its centre of mass in the middle

MNIST: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist ("normalized to fit in a 20x20 pixel box
while preserving their aspect ratio [...] centered in a 28x28 image by computing the center of mass").
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ImageError
from edgeconv.pictures.colors import composite, luma
from edgeconv.pictures.ink import bounds, is_bright, levels, strength, stroke_width, without_border
from edgeconv.pictures.morphology import Grey, box_mean, maximum, maximum_of_neighbours
from edgeconv.pictures.resampling import Read, area_weights, resample, trapezoid_weights
from edgeconv.recipe import DIGIT, LUMA, LUMA_WHOLE

Steps = NDArray[np.float32]
"""Two numbers, of the rows and of the columns: sizes, places, or pixels of one grid in one of another."""

BAND_PIXELS = 2**18
"""Pixels whose greys are counted at once."""

_LUMA = (np.array(LUMA)[:, None] / LUMA_WHOLE).astype(np.float32)


def center_digit(picture: NDArray[np.uint8], height: int, width: int, box: int) -> NDArray[np.uint8]:
    """Find a digit in a picture and prepare it as MNIST was prepared.

    A picture of the right size that is white on black passes through untouched. Its negative is only inverted.

    Args:
        picture: uint8, (height, width, channels), 0-255; 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels.
        height: rows of the result. MNIST: 28.
        width: columns of the result. MNIST: 28.
        box: longer side of the digit in the result. MNIST: 20.

    Returns:
        uint8, (height, width, 1), 0-255: white ink on black.

    Raises:
        ImageError: there is no ink in the picture.
    """
    read = partial(composite, background=_background(picture)) if picture.shape[2] == 4 else None
    if picture.shape[:2] == (height, width):
        picture, read = read(picture) if read else picture, None
        grey = picture if picture.shape[2] == 1 else luma(picture)
        if _is_prepared(grey, negative=False):
            return grey
        if _is_prepared(255 - grey, negative=True):
            return 255 - grey
    small, steps = _search_copy(picture, read)
    bright = is_bright(small)
    top, bottom, left, right = bounds(_find(255 - small if bright else small))
    begin, end = (steps * np.array(corner, np.float32) for corner in ((top, left), (bottom, right)))
    canvas, step = _cut(picture, begin, end, read)
    return _draw(_ink(255 - canvas if bright else canvas, step), height, width, box)


def _background(picture: NDArray[np.uint8]) -> int:
    """Return the grey of an even background that the ink of a transparent picture stands out from.

    What is opaque either is the ink (one colour: the background is the opposite), or is the paper with ink on it
    (mostly opaque, and not of one colour: the background is as the paper).
    """
    opaque, sums, squares = 0.0, 0.0, 0.0
    step = max(1, BAND_PIXELS // picture.shape[1])
    for top in range(0, len(picture), step):
        band = picture[top : top + step]
        alpha, grey = band[..., 3].astype(np.float64), luma(band[..., :3])[..., 0].astype(np.float64)
        opaque, sums = opaque + float(alpha.sum()), sums + float((alpha * grey).sum())
        squares += float((alpha * grey * grey).sum())
    if not opaque:
        raise ImageError(_NO_INK.format(received="a picture that is transparent everywhere"))
    mean = sums / opaque
    spread = math.sqrt(max(0.0, squares / opaque - mean * mean))
    if opaque / 255 / picture[..., 3].size > DIGIT.least_paper and spread > DIGIT.least_spread:
        return round(mean)
    return 255 if mean < DIGIT.middle_grey else 0


def _is_prepared(grey: NDArray[np.uint8], *, negative: bool) -> bool:
    """Tell whether a picture of the model's size is white on black: dark all around, and a negative in the middle."""
    around = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]]).tobytes()
    edge = sum(around) / len(around)
    if not negative:
        return not edge or edge <= min(DIGIT.prepared_edge, (int(grey.min()) + int(grey.max())) / 2)
    mass = max(1.0, float(grey.sum()))
    middles = (grey.sum(axis=(1 - axis, 2)) @ np.arange(grey.shape[axis]) / mass for axis in (0, 1))
    off = max(abs(middle - side / 2) for middle, side in zip(middles, grey.shape, strict=False))
    return edge <= DIGIT.negative_edge and off <= DIGIT.negative_middle and int(grey.max()) >= DIGIT.negative_white


def _search_copy(picture: NDArray[np.uint8], read: Read | None) -> tuple[Grey, Steps]:
    """Return the smoothed copy that is searched, and how many pixels of the picture are one of it, (2,)."""
    sizes = np.array(picture.shape[:2], np.float32)
    sides = np.maximum(np.rint(sizes / (sizes.max() / np.float32(DIGIT.search_side))), np.float32(1))
    steps = sizes / sides
    return _grey_copy(picture, sides, np.zeros(2, np.float32), steps, DIGIT.smoothing, read), steps


def _grey_copy(
    picture: NDArray[np.uint8], sides: Steps, begins: Steps, steps: Steps, smoothing: int, read: Read | None
) -> Grey:
    """Resample a part of a picture to grey; colour becomes grey between the two steps, where few pixels are left."""
    height, width = (int(side) for side in sides)
    vertical, horizontal = (
        partial(trapezoid_weights, source, target, begin, step, smoothing)
        for source, target, begin, step in zip(picture.shape[:2], (height, width), begins, steps, strict=True)
    )
    return resample(picture, vertical, horizontal, (height, width), read, _to_grey)[..., 0]


def _to_grey(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return picture if picture.shape[2] == 1 else picture @ _LUMA


def _find(grey: Grey) -> Grey:
    """Map the strength of the ink, and 0 where there is none."""
    ink = without_border(strength(grey, DIGIT.widest))
    floor, full = levels(ink)
    if full < max(DIGIT.faintest, DIGIT.clearest_noise * floor):
        raise ImageError(_NO_INK.format(received=f"{full:.1%} of contrast, noise of {floor:.1%}"))
    return np.where(ink > (floor + full) / 2, ink, 0)


_NO_INK = "A picture of a digit is required, no ink found. Received: {received}. Write darker, or come closer."


def _cut(picture: NDArray[np.uint8], begin: Steps, end: Steps, read: Read | None) -> tuple[Grey, float]:
    """Resample the digit and its margin onto the canvas; also return the picture's pixels in one of the canvas."""
    side = (end - begin).max() * np.float32(1 + 2 * DIGIT.margin)
    canvas, step = np.full(2, DIGIT.canvas), side / np.float32(DIGIT.canvas)
    begins = (begin + end - side) * np.float32(0.5)
    return _grey_copy(picture, canvas, begins, np.full(2, step), 1, read), float(step)


def _ink(canvas: Grey, step: float) -> Grey:
    """Draw the ink on the canvas with full contrast; float32, (canvas, canvas), 0-1."""
    ink = without_border(strength(canvas, DIGIT.widest))
    floor, full = levels(ink)
    gain = min(max(DIGIT.edge * step, DIGIT.least_gain), DIGIT.most_gain)
    ink = np.clip(((ink - floor) / (full - floor) - 0.5) * gain + 0.5, 0, 1)
    solid = (box_mean(ink, DIGIT.solid_window) > DIGIT.solid).astype(np.float32)
    return _widen(ink * maximum(solid, DIGIT.solid_dilation) if solid.any() else ink)


def _widen(ink: Grey) -> Grey:
    """Widen strokes that are thinner than MNIST's; a quarter of MNIST itself is a little."""
    missing = (DIGIT.thinnest * DIGIT.canvas / (1 + 2 * DIGIT.margin) - stroke_width(ink)) / 2
    for step in range(DIGIT.widening_steps):
        # Squares and diamonds by turns widen almost as a disc would; the last step goes only part of the way.
        wider = maximum(ink, 3) if step % 2 == 0 else maximum_of_neighbours(ink)
        ink = ink + min(max(missing - step, 0.0), 1.0) * (wider - ink)
    return ink


def _draw(ink: Grey, height: int, width: int, box: int) -> NDArray[np.uint8]:
    """Scale the ink's bounding box into `box`, put its centre of mass in the middle."""
    top, bottom, left, right = bounds(np.where(ink > DIGIT.drawn, ink, 0))
    scale = max(bottom - top, right - left) / box
    digit = ink[top:bottom, left:right]
    vertical = area_weights(bottom - top, height, scale, _offset(digit.sum(axis=1), height, scale))
    horizontal = area_weights(right - left, width, scale, _offset(digit.sum(axis=0), width, scale))
    made = vertical @ digit @ horizontal.T
    return np.asarray(np.rint(np.clip(made * (255 / made.max()), 0, 255)), np.uint8)[..., None]


def _offset(profile: NDArray[np.float32], target: int, scale: float) -> int:
    """Find the whole target pixel where the digit begins, so that its centre of mass falls on pixel `target / 2`.

    MNIST shifts by whole pixels: its digits begin and end sharply, and their centre is up to half a pixel off.
    """
    middle = float(profile @ (np.arange(len(profile)) + 0.5)) / float(profile.sum()) / scale
    return round(target / 2 + 0.5 - middle)
