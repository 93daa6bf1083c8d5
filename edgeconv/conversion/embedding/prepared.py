"""Recognises pictures of a digit already prepared, or in negative, as `edgeconv.pictures.digits` does: in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.embedding.colors import luma
from edgeconv.conversion.embedding.control import choose
from edgeconv.conversion.embedding.tensors import UINT8, Tensor, where
from edgeconv.recipe import DIGIT


def unless_prepared(
    picture: Tensor, height: int, width: int, prepare: Callable[[], Sequence[Tensor]]
) -> tuple[Tensor, Tensor]:
    """Pass a picture of the model's size through if it is white on black, invert it if it is the negative.

    Args:
        picture: uint8, (height, width, channels), opaque.
        height: rows that the model requires.
        width: columns that the model requires.
        prepare: writes the way of all other pictures down; returns the prepared one and whether ink was found.

    Returns:
        uint8, (1, height, width, 1), and bool, one element: whether there is a picture to answer to.
    """
    fits = (picture.size(0).equals(height) & picture.size(1).equals(width)).scalar()

    def look() -> list[Tensor]:
        grey = luma(picture)
        return list(_is_prepared(grey, height, width))

    with picture.recorder.section("prepared"):
        as_it_is, negative = choose(fits, look, lambda: [fits, fits], ("look", "other_size"))

    def pass_through() -> list[Tensor]:
        grey = luma(picture)
        return [where(as_it_is, grey, 255 - grey).as_type(UINT8).reshape(1, height, width, 1), as_it_is | negative]

    made, found = choose(as_it_is | negative, pass_through, prepare, ("pass_through", "digit"))
    return made, found


def _is_prepared(grey: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Tell whether a picture is white on black, and whether its negative is; bool, no axes."""
    low, high = grey.min(), grey.max()
    weights = _weights(height, width)
    sums = grey.reshape(1, -1) @ grey.array(weights)
    of_negative = grey.array(255 * weights.sum(axis=0, keepdims=True)) - sums
    edge, (negative_edge, mass, down, right) = sums.slice(1, 0, 1), of_negative.split(1, 4)
    as_it_is = edge <= ((low + high) * 0.5).minimum(DIGIT.prepared_edge)
    off = ((down / mass.maximum(1.0) - height / 2).abs()).maximum((right / mass.maximum(1.0) - width / 2).abs())
    blank = (negative_edge <= DIGIT.negative_edge) & (low <= 255 - DIGIT.negative_white)
    return as_it_is.scalar(), (blank & (off <= DIGIT.negative_middle)).scalar()


def _weights(height: int, width: int) -> NDArray[np.float64]:
    """Return by what the pixels are multiplied for the mean of the edge, the mass, and its moments, (pixels, 4)."""
    edge = np.ones((height, width))
    edge[1:-1, 1:-1] = 0
    rows, columns = np.indices((height, width))
    return np.stack([edge / edge.sum(), np.ones_like(edge), rows, columns], axis=-1).reshape(-1, 4)
