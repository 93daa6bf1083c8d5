"""JPEGs of which libjpeg decodes a part: the luma, or a half, a quarter or an eighth of each side.

A JPEG holds the luma of its pixels by itself, by the weights of `edgeconv.pictures.colors.luma`. Reading that alone
takes half of the time, and gives the same greys, but where a decoded colour lies outside RGB and is cut off. A digit's
preparation averages greys that are not rounded; these are, by half a grey at most.

A part of each side is read by leaving frequencies out. That gives other greys than a decoded picture that is scaled
down: only whoever asks for it gets it.
"""

from __future__ import annotations

from typing import Any

from edgeconv.pictures.budget import coefficients_of, plan
from edgeconv.pictures.decoding import ON_ITS_SIDE, Draft, check_size, orientation_of
from edgeconv.preparation import Preparation

MARGIN = 2
"""Pixels of a draft, along a side, for each that is made of it: what averages them hides what was left out."""


DIGIT_SIDE = 640
"""Each side of a draft with a digit in it: one that takes a ninth of it has the pixels still that it is drawn with."""


def least_size(preparation: Preparation) -> tuple[int, int]:
    """Return the height and width that a picture must keep for a preparation."""
    if preparation.kind == "digit":
        return DIGIT_SIDE, DIGIT_SIDE
    return MARGIN * preparation.height, MARGIN * preparation.width


def drafted(image: Any, draft: Draft, name: str, held: int = 0) -> tuple[int, int]:
    """Have a JPEG that Pillow opened decoded in part.

    One whose coefficients libjpeg holds, as those of progressive files, keeps its size: they take the memory of the
    whole picture, and most of the time. One that would take too much memory is scaled down, as `budget.plan` says.

    Args:
        image: not loaded yet.
        draft: what of it is read.
        name: of the picture, for errors.
        held: bytes that are in memory already, of its file and of what was read of it.

    Returns:
        Its height and width in the file, upright.

    Raises:
        ImageError: it is too large.
    """
    width, height = image.size
    check_size(width, height, name)
    lies = orientation_of(image) >= ON_ITS_SIDE
    factor = plan(image, held, name, drafts=True).factor
    sides = (width // factor, height // factor)
    if draft.least and not coefficients_of(image):
        sides = tuple(map(min, sides, draft.least if lies else draft.least[::-1]))
    image.draft(draft.mode_of(image), sides)  # Pillow takes one draft of an image.
    return (width, height) if lies else (height, width)
