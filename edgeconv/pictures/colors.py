"""Change the channels of a picture: colour to grey, transparency to a background, alpha into colours and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.recipe import LUMA, LUMA_WHOLE

_AT_ONCE = 2**22
"""Numbers that are mixed at once: as whole numbers of 32 bits, several times over, these take 100 MB."""

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
    made = np.empty((*picture.shape[:-1], picture.shape[-1] - 1), np.uint8)
    rows = max(1, _AT_ONCE // picture[0].size)
    for top in range(0, len(picture), rows):
        band = picture[top : top + rows]
        alpha = band[..., -1:].astype(np.uint32)
        made[top : top + rows] = (band[..., :-1] * alpha + background * (255 - alpha) + 127) // 255
    return made


def premultiplied(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Weigh colours by their alpha, as Pillow's mode "RGBa" does: uint8, (height, width, 4), 0-255."""
    alpha = picture[..., 3:].astype(np.uint32)
    weighed = picture[..., :3] * alpha + 128
    return np.concatenate([((weighed >> 8) + weighed) >> 8, alpha], axis=2).astype(np.uint8)


def straightened(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Take the alpha out of weighed colours, as Pillow does from mode "RGBa": uint8, (height, width, 4), 0-255."""
    alpha = picture[..., 3:].astype(np.uint32)
    colours = np.minimum(picture[..., :3] * np.uint32(255) // np.maximum(alpha, 1), 255)
    return np.concatenate([np.where(alpha == 0, picture[..., :3], colours), alpha], axis=2).astype(np.uint8)
