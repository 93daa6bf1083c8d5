"""Large pictures: converted some rows after another, and scaled down where they would take too much memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.pictures.budget import BAND_PIXELS, PICTURE_BYTES, plan
from edgeconv.pictures.decoding import ON_ITS_SIDE, Claim, orientation_of, to_array
from edgeconv.pictures.deep_greys import brightest
from edgeconv.pictures.metadata import MeteredFile

Pixels = NDArray[np.uint8]

_IDAT = 2**16
"""Most bytes that Pillow reads at once of the pixels of a PNG."""


def load_in_bands(image: Any, name: str, claim: Claim, file: Any) -> Pixels:
    """Return the pixels of an image of Pillow as `decode` does, upright.

    Args:
        image: opened from a file, or made.
        name: of the image, for errors.
        claim: told how much memory this takes, before it does.
        file: that the image is read from, or None.

    Raises:
        ImageError: it does not fit into the memory that it may take.
    """
    factor, total = 1, 0
    if image.format != "WEBP" or file is None:  # Of a WebP the header said so before it was opened.
        drafts = image.format == "JPEG" and file is not None
        factor, total = plan(image, getattr(file, "held", 0), name, drafts=drafts)
        claim(total)
        if drafts and factor > 1:
            image.draft(None, (image.width // factor, image.height // factor))
            factor = 1
    if isinstance(file, MeteredFile):
        file.decodes(_IDAT if image.format == "PNG" else file.length, PICTURE_BYTES - total)
    image.load()
    if image.format == "WEBP" and file is not None:
        image._decoder = image.fp = None  # Three times as much as the image.
    convert = to_array
    if image.mode in {"I", "F"}:
        convert = partial(to_array, white=max(brightest(np.asarray(band)) for band in _bands(image, 1)))
    return _assembled((convert(band) for band in _bands(image, factor)), image, factor)


def scaled_down(pixels: Pixels, most: int) -> Pixels:
    """Return a picture of at most so many pixels: itself, or one whose sides are divided by a whole number."""
    factor = math.ceil(math.sqrt(pixels.shape[0] * pixels.shape[1] / most))
    if factor <= 1:
        return pixels
    rows = factor * max(1, BAND_PIXELS // (pixels.shape[1] * factor))
    return np.concatenate([_reduced(pixels[top : top + rows], factor) for top in range(0, len(pixels), rows)])


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    rows = factor * max(1, BAND_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _assembled(bands: Iterator[Pixels], image: Image.Image, factor: int) -> Pixels:
    """Write bands below one another, and so that the whole stands upright."""
    rows, columns = -(-image.height // factor), -(-image.width // factor)
    orientation = orientation_of(image)
    whole, lying, row = np.empty((0, 0, 0), np.uint8), np.empty((0, 0, 0), np.uint8), 0
    for converted in bands:
        band = converted if factor == 1 else _reduced(converted, factor)
        if not row:
            size = (columns, rows) if orientation >= ON_ITS_SIDE else (rows, columns)
            whole = np.empty((*size, band.shape[2]), np.uint8)
            lying = _lying(whole, orientation)
        lying[row : row + len(band)] = band
        row += len(band)
    return whole


def _lying(upright: Pixels, orientation: int) -> Pixels:
    """Return a view of an upright picture as its file has it, by its EXIF orientation."""
    if orientation in {6, 8}:
        return np.rot90(upright, 1 if orientation == 6 else -1)
    across, down = (
        slice(None, None, -1 if orientation in {2, 3, 7} else 1),
        slice(None, None, -1 if orientation in {3, 4, 7} else 1),
    )
    turned = upright[down, across]
    return turned.swapaxes(0, 1) if orientation in {5, 7} else turned


def _reduced(band: Pixels, factor: int) -> Pixels:
    """Average squares of pixels; colours are weighed by their alpha."""
    image = Image.fromarray(band[..., 0] if band.shape[2] == 1 else band).reduce(factor)
    return np.asarray(image).reshape(image.height, image.width, -1)
