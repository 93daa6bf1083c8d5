"""Masks as pictures: a colour for each class, and the colours over the picture that they are of."""

from __future__ import annotations

import colorsys
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.pictures.colors import composite

OPACITY = 0.5
"""Of the colours over a picture: both stay readable."""

_TURN = 0.381966
"""The golden angle as a share of the circle: neighbouring classes get hues far apart, however many there are."""


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
