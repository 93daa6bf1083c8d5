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
    fits = picture.size(0).equals(height) & picture.size(1).equals(width)

    def look() -> list[Tensor]:
        grey = luma(picture)
        as_it_is, negative = _is_prepared(grey, height, width)
        return [where(as_it_is, grey, 255 - grey).as_type(UINT8).reshape(0, 0, 1), as_it_is | negative]

    with picture.recorder.section("prepared"):
        seen, is_prepared = choose(fits, look, lambda: [picture, fits], ("look", "other_size"))

    def pass_through() -> list[Tensor]:
        return [seen.reshape(1, height, width, 1), is_prepared]

    made, found = choose(is_prepared, pass_through, prepare, ("pass_through", "digit"))
    return made, found


def _is_prepared(grey: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Tell whether a picture is white on black, and whether its negative is; bool, one element."""
    low, high = grey.min(), grey.max()
    weights = _weights(height, width)
    sums = grey.reshape(-1) @ grey.array(weights)
    of_negative = grey.array(255 * weights.sum(axis=0)) - sums
    means, off = of_negative.split(0)
    negative_edge, mass = means.split(0)
    as_it_is = sums.slice(0, 0, 1) <= ((low + high) * 0.5).minimum(DIGIT.prepared_edge)
    blank = (negative_edge <= DIGIT.negative_edge) & (low <= 255 - DIGIT.negative_white)
    return as_it_is, blank & (off.abs().max() <= mass.maximum(1.0))


def _weights(height: int, width: int) -> NDArray[np.float64]:
    """Return by what pixels are multiplied for their edge's mean, for their mass, and for its moments.

    Where these, about the middle, are more than the mass, it is farther off than it may be; (pixels, 4).
    """
    edge = np.ones((height, width))
    edge[1:-1, 1:-1] = 0
    rows, columns = np.indices((height, width))
    off = (side / DIGIT.negative_middle for side in (rows - height / 2, columns - width / 2))
    return np.stack([edge / edge.sum(), np.ones_like(edge), *off], axis=-1).reshape(-1, 4)
