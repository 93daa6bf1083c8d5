"""Reduce the channels of a picture: colour to grey, transparency to a background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.recipe import LUMA, LUMA_WHOLE

_WEIGHTS = np.array(LUMA, np.uint32)


def luma(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn RGB into grey as Pillow's mode "L" does; equal channels stay what they are.

    Args:
        picture: uint8, (height, width, 3), 0-255.

    Returns:
        uint8, (height, width, 1), 0-255.
    """
    red, green, blue = (picture[..., channel, None] * _WEIGHTS[channel] for channel in range(3))
    return np.asarray((red + green + blue + LUMA_WHOLE // 2) // LUMA_WHOLE, np.uint8)


def composite(picture: NDArray[np.uint8], background: int) -> NDArray[np.uint8]:
    """Lay a picture with straight alpha over an even background.

    Args:
        picture: uint8, (height, width, channels + 1), 0-255; the last channel is alpha.
        background: grey of the background, 0-255.

    Returns:
        uint8, (height, width, channels), 0-255; opaque pixels stay what they are.
    """
    alpha = picture[..., -1:].astype(np.uint32)
    return ((picture[..., :-1] * alpha + background * (255 - alpha) + 127) // 255).astype(np.uint8)
