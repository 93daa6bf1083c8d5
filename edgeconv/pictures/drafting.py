"""JPEGs decoded at a half, a quarter or an eighth of their size, as libjpeg does it: by leaving frequencies out.

That takes half of the time or less, and gives other greys than a decoded picture that is scaled down: only whoever asks
for it gets it.
"""

from __future__ import annotations

from typing import Any

from edgeconv.pictures.budget import coefficients_of
from edgeconv.pictures.decoding import ON_ITS_SIDE, check_size, orientation_of
from edgeconv.preparation import Preparation

MARGIN = 2
"""Pixels of a draft, along a side, for each that is made of it: what averages them hides what was left out."""


DIGIT_SIDE = 640
"""Each side of a draft with a digit in it: one that takes a ninth of it has the pixels still that it is drawn with."""


def least_size(preparation: Preparation | None) -> tuple[int, int] | None:
    """Return the height and width that a picture must keep for a preparation; None where all of it is needed."""
    if preparation is None:
        return None
    if preparation.kind == "digit":
        return DIGIT_SIDE, DIGIT_SIDE
    return MARGIN * preparation.height, MARGIN * preparation.width


def drafted(image: Any, least: tuple[int, int], name: str) -> tuple[int, int]:
    """Have a JPEG that Pillow opened decoded at a part of its size, if no side is then smaller than it must be.

    One whose coefficients libjpeg holds, as those of progressive files, stays as it is: they take the memory of the
    whole picture, and most of the time.

    Args:
        image: not loaded yet.
        least: height and width that are left, upright.
        name: of the picture, for errors.

    Returns:
        Its height and width in the file, upright.

    Raises:
        ImageError: it is too large.
    """
    width, height = image.size
    check_size(width, height, name)
    lies = orientation_of(image) >= ON_ITS_SIDE
    if not coefficients_of(image):
        image.draft(None, least if lies else least[::-1])
    return (width, height) if lies else (height, width)
