"""Pictures drawn from prepared images: other sizes, channels and polarities than the model takes.

What prepares pictures is tried and timed on them. They are drawn by arithmetic alone, so that the same images give the
same pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgeconv.pictures.resampling import resize
from edgeconv.preparation import Preparation

Picture = NDArray[np.uint8]

_SIZES = ((60, 80), (76, 56), (48, 48), (96, 120), (64, 90), (120, 70), (40, 40), (324, 330))
"""Rows and columns of the pictures of digits, in turn; the last is larger than what is searched for ink."""

_LARGE = 700
"""Shorter side of a picture that is drawn pixel by pixel."""

_PAPER, _PEN = 225.0, 35.0
_CHANNELS = (1, 3, 4)
_TINT = np.array([1.0, 0.98, 0.94], np.float32)


def draw_pictures(images: Picture, preparation: Preparation) -> Iterator[Picture]:
    """Draw one picture of each image, in several sizes.

    Args:
        images: uint8, (n, height, width, channels), 0-255: what the model takes.
        preparation: what makes such images of pictures.

    Yields:
        uint8, (height, width, 1, 3 or 4 channels), 0-255.
    """
    for number, image in enumerate(images):
        channels = _CHANNELS[number % len(_CHANNELS)]
        if preparation.kind == "digit":
            yield _on_paper(image, number, channels, _SIZES[number % len(_SIZES)])
        else:
            yield _enlarged(image, channels, _enlarged_sides(image, number))


def show_images(images: Picture, preparation: Preparation) -> Iterator[Picture]:
    """Draw one picture of each image, in several sizes, that shows all that the image does: evenly lit, in its colours.

    Args:
        images: uint8, (n, height, width, channels), 0-255: what the model takes.
        preparation: what makes such images of pictures.

    Yields:
        uint8, (height, width, 1, 3 or 4 channels), 0-255.
    """
    for number, image in enumerate(images):
        if preparation.kind == "digit":
            yield _on_paper(image, number, (1, 3)[number % 2], _SIZES[number % len(_SIZES)])
        else:
            yield _bytes(resize(image, *_enlarged_sides(image, number)))


def draw_picture(image: Picture, preparation: Preparation, size: tuple[int, int]) -> Picture:
    """Draw one picture in colour of an image.

    Args:
        image: uint8, (height, width, channels), 0-255: what the model takes.
        preparation: what makes such images of pictures.
        size: rows and columns of the picture; of a large one each pixel is several alike, which takes less memory.

    Returns:
        uint8, (rows, columns, 3), 0-255.
    """
    times = max(1, min(size) // _LARGE)
    drawn = -(-size[0] // times), -(-size[1] // times)
    picture = _on_paper(image, 0, 3, drawn) if preparation.kind == "digit" else _enlarged(image, 3, drawn)
    return picture.repeat(times, axis=0)[: size[0]].repeat(times, axis=1)[:, : size[1]]


def _enlarged_sides(image: Picture, number: int) -> tuple[int, int]:
    rows, columns = (round(side * (1.3 + 0.25 * ((number + turn) % 4))) for turn, side in enumerate(image.shape[:2]))
    return rows, columns


def _on_paper(image: Picture, number: int, channels: int, size: tuple[int, int]) -> Picture:
    """Draw a digit off the middle of unevenly lit paper, by turns in dark and in bright ink."""
    height, width = size
    side = round(min(height, width) * 0.7)
    top, left = (height - side) // (3 + number % 2), (width - side) // (4 - number % 2)
    # Twice the contrast of the enlargement: strokes with edges, as a pen leaves them.
    digit = np.clip(resize(image, side, side)[..., 0] / 255 * 2 - 0.5, 0, 1)
    ink = np.zeros((height, width), np.float32)
    ink[top : top + side, left : left + side] = digit
    if channels == 4:
        return _transparent(ink, dark=number % 2 == 0)
    light = np.linspace(1.0, 0.8, width, dtype=np.float32)
    dark_ink = (_PAPER + (_PEN - _PAPER) * ink) * light
    bright_ink = (_PEN + (_PAPER - _PEN) * ink) * light
    grey = dark_ink if number % 2 == 0 else bright_ink
    return _bytes(grey[..., None] * (_TINT if channels == 3 else np.float32(1)))


def _transparent(ink: NDArray[np.float32], *, dark: bool) -> Picture:
    """Draw ink of one colour with nothing behind it."""
    colour = np.full((*ink.shape, 3), _PEN if dark else _PAPER, np.float32)
    return _bytes(np.concatenate([colour, ink[..., None] * 255], axis=2))


def _enlarged(image: Picture, channels: int, size: tuple[int, int]) -> Picture:
    """Enlarge an image to another aspect, lit from one side; with alpha, fading out towards the bottom."""
    height, width = size
    lit = resize(image, height, width) * np.linspace(1.0, 0.85, width, dtype=np.float32)[:, None]
    colours = np.repeat(lit, 3, axis=2) if image.shape[2] == 1 else lit[..., :3]
    if channels == 1:
        return _bytes(lit[..., :1])
    if channels == 3:
        return _bytes(colours)
    alpha = np.broadcast_to(np.linspace(255, 128, height, dtype=np.float32)[:, None, None], (height, width, 1))
    return _bytes(np.concatenate([colours, alpha], axis=2))


def _bytes(values: NDArray[np.float32]) -> Picture:
    return np.asarray(np.rint(np.clip(values, 0, 255)), np.uint8)
