"""`edgeconv.pictures.colors` as ONNX operators: colour to grey, transparency to a background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgeconv.conversion.embedding.control import choose
from edgeconv.conversion.embedding.tensors import FLOAT, UINT8, Operand, Tensor
from edgeconv.recipe import LUMA, LUMA_WHOLE


def grey(colours: Tensor) -> Tensor:
    """Weigh the channels, and do not round.

    Args:
        colours: uint8 or float32, (height, width, channels), 0-255; 1 or 3 channels.

    Returns:
        float32, (height, width), 0-255.
    """
    channels = colours.size(-1)
    # One weight for a grey picture, then three for a coloured one: a slice that begins at 0 or at 1.
    weights = colours.array(np.array([LUMA_WHOLE, *LUMA])[:, None] / LUMA_WHOLE)
    begin = channels // 2
    return (colours.as_type(FLOAT) @ weights.slice(0, begin, begin + channels)).reshape(0, 0)


def luma(picture: Tensor) -> Tensor:
    """Turn a picture of 1 or 3 channels into bytes of grey, float32, as Pillow's mode "L" does."""
    return (grey(picture) + 0.5).floor()


def composite(picture: Tensor, background: Operand) -> Tensor:
    """Lay a picture with straight alpha over an even background; uint8, (height, width, channels - 1)."""
    alpha = picture.slice(2, -1, None).as_type(FLOAT)
    colours = picture.slice(2, None, -1).as_type(FLOAT)
    return ((colours * alpha + (255 - alpha) * background + 127) / 255).floor().as_type(UINT8)


def opaque(picture: Tensor, lay: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply `lay` to a picture with alpha, and leave any other as it is.

    Args:
        picture: uint8, (height, width, channels).
        lay: turns a picture of 4 channels into one of 3.
    """
    return choose(picture.size(2).equals(4), lambda: [lay(picture)], lambda: [picture], ("with_alpha", "opaque"))[0]
