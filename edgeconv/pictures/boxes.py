"""Boxes with their labels, drawn over the picture that they are in."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edgeconv.pictures.colors import composite
from edgeconv.pictures.masks import class_colors

Box = tuple[float, float, float, float]

_LETTERS = 28
"""Parts of the shorter side of a picture that letters are high, but at least so many pixels as can be read."""
_LEAST = 10


MOST_PIXELS = 28_000_000
"""Pixels of a picture that boxes are drawn over: it is held three times, and a larger one is scaled down before."""


def boxes_png(
    picture: NDArray[np.uint8], boxes: Sequence[tuple[Box, int, str]], size: tuple[int, int] | None = None
) -> bytes:
    """Return a picture as a PNG with boxes over it, the first on top.

    Args:
        picture: uint8, (height, width, 1, 3 or 4 channels), 0-255.
        boxes: of each its corners in pixels, the index of its class, which has a colour of its own, and what it is.
        size: (height, width) of the picture that the corners are told in; by default that of `picture`.
    """
    opaque = composite(picture, 255) if picture.shape[-1] == 4 else picture
    image = Image.fromarray(np.ascontiguousarray(np.broadcast_to(opaque, (*picture.shape[:2], 3))))
    canvas = ImageDraw.Draw(image)
    letters = max(_LEAST, min(image.size) // _LETTERS)
    font, width = ImageFont.load_default(letters), max(1, letters // 8)
    colors = class_colors(max((index for _, index, _ in boxes), default=0) + 2)[1:]
    scales = [made / told for made, told in zip(image.size, (size or picture.shape[:2])[::-1], strict=True)] * 2
    for corners, index, text in reversed(boxes):
        x1, y1, x2, y2 = (place * scale for place, scale in zip(corners, scales, strict=True))
        color = tuple(colors[index].tolist())
        canvas.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=color, width=width)
        _, _, long, high = canvas.textbbox((0, 0), text, font=font)
        left = max(0.0, min(x1, image.width - long - 2 * width))
        # Above the box, or inside it where there is no room above.
        top = y1 - high - 2 * width if y1 >= high + 2 * width else y1
        canvas.rectangle((left, top, left + long + 2 * width, top + high + 2 * width), fill=color)
        canvas.text((left + width, top + width), text, fill="white", font=font)
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
