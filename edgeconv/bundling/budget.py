"""What a picture takes while a bundle's model prepares it, and from which size on it is scaled down first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeconv.preparation import FILTERS, Preparation

MOST_BYTES = 400_000_000
"""Most bytes that the preparation of one picture may take, whatever the picture's size."""

_DIGIT = {1: 24, 3: 56, 4: 68}
_DIGIT_ROWS = 320
_BY_MATRICES = {1: 24, 3: 24, 4: 50}
_AS_PILLOW = {1: 50, 3: 50, 4: 68}
_WITH_ALPHA = {1: 34, 3: 34, 4: 34}
_WITH_ALPHA_AS_PILLOW = {1: 128, 3: 128, 4: 128}


@dataclass(frozen=True)
class PreparationBudget:
    """How large a picture may be that a model with its preparation inside is given.

    A picture takes `width * (height + rows) * pixel_bytes[channels]` bytes, itself among them. Measured with ONNX
    Runtime on pictures of 3000 x 2000, 60000 x 100 and 20000 x 250 pixels, and rounded up.

    Attributes:
        pixel_bytes: by the channels of the picture: 1, 3 and 4.
        rows: rows of what the picture's columns become first.
        most_bytes: it may take so much; more than `MOST_BYTES` only for a model whose own pictures are huge.
    """

    pixel_bytes: Mapping[int, int]
    rows: int
    most_bytes: int


def preparation_budget(preparation: Preparation) -> PreparationBudget:
    """Return the budget of a model's pictures."""
    pixel_bytes, rows = _pixel_bytes(preparation), preparation.height
    if preparation.kind == "digit":
        rows = max(rows, _DIGIT_ROWS)
    # A picture of twice the model's size loses nothing by being scaled down: from there on it may be.
    twice = 2 * preparation.width * (2 * preparation.height + rows) * max(pixel_bytes.values())
    return PreparationBudget(pixel_bytes, rows, max(MOST_BYTES, twice))


def _pixel_bytes(preparation: Preparation) -> Mapping[int, int]:
    if preparation.kind == "digit":
        return _DIGIT
    as_pillow = FILTERS[preparation.filter][1] and preparation.filter != "triangle"
    if preparation.channels == 4:
        return _WITH_ALPHA_AS_PILLOW if as_pillow or preparation.filter == "triangle" else _WITH_ALPHA
    return _AS_PILLOW if as_pillow else _BY_MATRICES
