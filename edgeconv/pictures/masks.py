"""Masks as pictures: a colour for each class, and the colours over the picture that they are of."""

from __future__ import annotations

import colorsys
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.artifact import read_regular
from edgeconv.errors import ImageError, one_line
from edgeconv.pictures.colors import composite
from edgeconv.pictures.decoding import MAX_BYTES, MAX_PIXELS

OPACITY = 0.5
"""Of the colours over a picture: both stay readable."""

_TURN = 0.381966
"""The golden angle as a share of the circle: neighbouring classes get hues far apart, however many there are."""


def read_classes(path: Path) -> NDArray[np.int64]:
    """Return what each pixel of a mask's file holds, (height, width): the index in its palette, or its grey value.

    Raises:
        ImageError: the file is no picture, or one of colours without a palette.
    """
    try:
        with Image.open(io.BytesIO(read_regular(path, MAX_BYTES)), formats=["PNG", "BMP", "TIFF", "GIF"]) as image:
            if image.width * image.height <= MAX_PIXELS and image.mode in {"1", "L", "P", "I", "I;16"}:
                return np.asarray(image).astype(np.int64)
            received = f"{image.width}x{image.height} pixels of {image.mode}"
    except Exception as error:  # A decoder that is fed damaged bytes fails in every way there is.
        received = one_line(error)
    raise ImageError(
        f"{path}: a mask must be a PNG, grey or with a palette, whose pixels are the indices of classes. Received: "
        f"{received}. Save it as `PIL.Image.fromarray(classes)`."
    )


def class_colors(count: int) -> NDArray[np.uint8]:
    """Return a colour for each class, uint8, (count, 3), 0-255; the first, the background, is black.

    Example:
        >>> class_colors(2).tolist()
        [[0, 0, 0], [217, 65, 172]]
    """
    colors = [colorsys.hsv_to_rgb((place * _TURN + 0.5) % 1.0, 0.7, 0.85) for place in range(1, count)]
    return (255.0 * np.array([(0.0, 0.0, 0.0), *colors])).round().astype(np.uint8)[:count]


def mask_png(classes: NDArray[Any], count: int) -> bytes:
    """Return a mask, (height, width), as a PNG whose pixels are the indices of classes, shown in their colours."""
    if count > 256:
        return _png(Image.fromarray(classes.astype(np.uint16)))
    image = Image.fromarray(classes.astype(np.uint8), mode="P")
    image.putpalette(class_colors(count).tobytes())
    return _png(image)


def overlay_png(picture: NDArray[np.uint8], classes: NDArray[Any], count: int) -> bytes:
    """Return a picture as a PNG with the colours of all classes but the first over it.

    Args:
        picture: uint8, (height, width, 1, 3 or 4 channels), 0-255.
        classes: (height, width), indices below `count`.
        count: of the classes.
    """
    opaque = composite(picture, 255) if picture.shape[-1] == 4 else picture
    rgb = np.broadcast_to(opaque, (*classes.shape, 3)).astype(np.float64)
    colors = class_colors(count)[classes].astype(np.float64)
    mixed = np.where((classes > 0)[..., None], (1.0 - OPACITY) * rgb + OPACITY * colors, rgb)
    return _png(Image.fromarray(mixed.round().astype(np.uint8)))


def picture_png(pixels: NDArray[Any], value_range: tuple[float, float]) -> bytes:
    """Return (height, width, 1 or 3) values of a range as a PNG of 8 bits; what lies outside is cut off."""
    low, high = value_range
    scaled = ((pixels.astype(np.float64) - low) * 255.0 / (high - low)).clip(0.0, 255.0).round().astype(np.uint8)
    return _png(Image.fromarray(scaled[..., 0] if scaled.shape[-1] == 1 else scaled))


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
