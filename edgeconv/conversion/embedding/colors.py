"""`edgeconv.pictures.colors` as ONNX operators: colour to grey, transparency to a background, alpha."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgeconv.conversion.embedding.control import choose
from edgeconv.conversion.embedding.tensors import FLOAT, INT64, UINT8, Operand, Tensor, join, where
from edgeconv.recipe import LUMA, LUMA_WHOLE


def grey(colours: Tensor, channels: int | None = None) -> Tensor:
    """Weigh the channels, and do not round.

    Args:
        colours: uint8 or float32, (height, width, channels), 0-255; 1 or 3 channels.
        channels: how many, where that is known.

    Returns:
        float32, (height, width), 0-255.
    """
    return (colours.as_type(FLOAT) @ weights_of_grey(colours, channels)).reshape(0, 0)


def weights_of_grey(colours: Tensor, channels: int | None = None) -> Tensor:
    """Return by what the channels of a picture are multiplied for its grey; float32, (channels, 1), as in `grey`."""
    # One weight for a grey picture, then three for a coloured one: a slice that begins at 0 or at 1.
    weights = np.array([LUMA_WHOLE, *LUMA])[:, None] / LUMA_WHOLE
    if channels is not None:
        return colours.array(weights[channels // 2 :][:channels])
    count = colours.size(2)
    begin = count // 2
    return colours.array(weights).slice(0, begin, begin + count)


def luma(picture: Tensor, channels: int | None = None) -> Tensor:
    """Turn a picture of 1 or 3 channels into bytes of grey, float32, as Pillow's mode "L" does."""
    return (grey(picture, channels) + 0.5).floor()


def composite(picture: Tensor, background: Operand) -> Tensor:
    """Lay a picture of 4 channels over an even background; uint8, (height, width, 3)."""
    alpha = picture.slice(2, 3, None).as_type(FLOAT)
    colours = picture.slice(2, None, 3).as_type(FLOAT)
    return ((colours * alpha + (255 - alpha) * background + 127) / 255).floor().as_type(UINT8)


def opaque(picture: Tensor, lay: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply `lay` to a picture with alpha, and leave any other as it is.

    Args:
        picture: uint8, (height, width, channels).
        lay: turns a picture of 4 channels into one of 3.
    """
    return choose(picture.size(2).equals(4), lambda: [lay(picture)], lambda: [picture], ("with_alpha", "opaque"))[0]


def with_channels(picture: Tensor, channels: int, lay: Callable[[Tensor], Tensor]) -> Tensor:
    """Turn any picture into one of so many channels, as `edgeconv.pictures.preparation` does; uint8.

    Args:
        picture: uint8, (height, width, channels).
        channels: 1, 3 or 4.
        lay: turns a picture of 4 channels into one of 3.
    """
    if channels == 4:
        return choose(
            picture.size(2).equals(4), lambda: [picture], lambda: [_with_alpha(picture)], ("with_alpha", "opaque")
        )[0]
    shown = opaque(picture, lay)
    if channels == 1:
        return luma(shown).reshape(0, 0, 1).as_type(UINT8)
    return shown.apply("Expand", picture.integers([1, 1, channels]))


def _with_alpha(picture: Tensor) -> Tensor:
    """Add a channel of 255 to a picture of 1 or 3 channels."""
    colours = picture.apply("Expand", picture.integers([1, 1, 3]))
    grey = colours.slice(2, 0, 1)
    return join([colours, grey.maximum(255)], axis=2)


def premultiplied(picture: Tensor) -> Tensor:
    """Weigh colours by their alpha, as `edgeconv.pictures.colors.premultiplied`; uint8, (height, width, 4)."""
    alpha = picture.slice(2, 3, None)
    weighed = picture.slice(2, 0, 3).as_type(INT64) * alpha.as_type(INT64) + 128
    return join([((weighed // 256 + weighed) // 256).as_type(UINT8), alpha], axis=2)


def straightened(picture: Tensor) -> Tensor:
    """Take the alpha out of weighed colours, as `edgeconv.pictures.colors.straightened`; uint8, (height, width, 4)."""
    alpha = picture.slice(2, 3, None)
    whole, weighed = alpha.as_type(INT64), picture.slice(2, 0, 3).as_type(INT64)
    colours = (weighed * 255 // whole.maximum(1)).minimum(255)
    return join([where(whole.equals(0), weighed, colours).as_type(UINT8), alpha], axis=2)
