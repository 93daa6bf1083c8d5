"""Masks as pictures: a colour for each class, and the colours over the picture that they are of."""

from __future__ import annotations

import colorsys
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures.budget import plan, too_large
from edgeconv.pictures.colors import composite
from edgeconv.pictures.decoding import check_size, open_image

OPACITY = 0.5
"""Of the colours over a picture: both stay readable."""

_TURN = 0.381966
"""The golden angle as a share of the circle: neighbouring classes get hues far apart, however many there are."""


def read_classes(path: Path) -> NDArray[np.integer[Any]]:
    """Return what each pixel of a mask's file holds, (height, width): the index in its palette, or its grey value.

    Raises:
        ImageError: the file is no picture, one of colours without a palette, or too large.
    """
    with open_image(path, str(path)) as (image, file):
        check_size(image.width, image.height, str(path))
        if image.mode in _VALUES and image.format in _FORMATS:
            return _values(image, getattr(file, "held", 0), str(path))
        received = f"a {image.format} of {image.mode}"
    raise ImageError(
        f"{path}: a mask must be a PNG, grey or with a palette, whose pixels are the indices of classes. Received: "
        f"{received}. Save it as `PIL.Image.fromarray(classes)`."
    )


_FORMATS = ("PNG", "BMP", "TIFF", "GIF")

_VALUES = {"1": np.uint8, "L": np.uint8, "P": np.uint8, "I": np.int32, "I;16": np.int32}
"""What holds the pixels of a mask, by the mode of Pillow."""

_COPIES = 4
"""How often the pixels of a mask, one byte longer, are held until the classes are found."""


def _values(image: Any, held: int, name: str) -> NDArray[np.integer[Any]]:
    dtype = np.dtype(_VALUES[image.mode])
    planned = plan(image, held + image.width * image.height * (dtype.itemsize + 1) * _COPIES, name)
    if planned.factor > 1:
        raise too_large(name, image.width, image.height, planned.total)
    return np.asarray(image).astype(dtype)


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
