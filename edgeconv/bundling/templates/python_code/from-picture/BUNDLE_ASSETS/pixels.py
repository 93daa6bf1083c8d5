"""The pixels of Pillow's images, of any mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

PIXELS_AT_ONCE = 2**20  # of what is scaled down: all at once would be copies of it

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def pixels_of(image: Any, factor: int) -> Picture:
    """Return the pixels, upright.

    Args:
        image: of Pillow.
        factor: by which it is scaled down; each pixel is the mean of a square.

    Returns:
        uint8, (height, width, channels), 0-255: grey, RGB, or RGB and straight alpha.
    """
    image.load()
    turn = UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    white = _white(image)
    if factor > 1:
        image = Image.fromarray(np.concatenate([*_scaled(image, factor, white)]))
    return _to_array(image if turn is None else image.transpose(turn), white)


def _scaled(image: Any, factor: int, white: float) -> Iterator[Picture]:
    rows = max(1, PIXELS_AT_ONCE // image.width // factor) * factor
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        band = _to_array(image.crop(box), white)
        whole = Image.fromarray(band[..., 0] if band.shape[2] == 1 else band)
        yield np.asarray(whole.reduce(factor))


def _white(image: Any) -> float:
    if image.mode not in ("I", "F"):
        return 65535
    values = np.asarray(image)
    brightest = float(np.max(values, initial=0, where=np.isfinite(values)))
    # Such files do not say what white is: the smallest usual value that holds all.
    usual = (255, 65535) if image.mode == "I" else (1, 255, 65535)
    return next((white for white in usual if brightest <= white), brightest)


def _to_array(image: Any, white: float) -> Picture:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        values = np.asarray(image)
        pixels = np.empty((*values.shape, 1), np.uint8)
        for row, made in zip(values, pixels, strict=True):
            shares = np.clip(np.nan_to_num(row.astype(np.float64)), 0, white) / white
            made[:, 0] = np.rint(shares * 255)
        return pixels
    opaque = "L" if image.mode in ("1", "L") else "RGB"
    pixels = np.array(image.convert("RGBA" if image.has_transparency_data else opaque))
    return pixels[..., None] if pixels.ndim == 2 else pixels
