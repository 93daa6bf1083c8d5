"""Recognises pictures of a digit already prepared, or in negative, as `edgeconv.pictures.digits` does: in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

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
        return [_is_prepared(grey, height, width), _is_prepared_negative(255 - grey, height, width)]

    with picture.recorder.section("prepared"):
        as_it_is, negative = choose(fits, look, lambda: [fits, fits], ("look", "other_size"))

    def pass_through() -> list[Tensor]:
        grey = luma(picture)
        return [where(as_it_is, grey, 255 - grey).as_type(UINT8).reshape(1, height, width, 1), as_it_is | negative]

    made, found = choose(as_it_is | negative, pass_through, prepare, ("pass_through", "digit"))
    return made, found


def _is_prepared(grey: Tensor, height: int, width: int) -> Tensor:
    return _edge(grey, height, width) <= ((grey.min() + grey.max()) / 2).minimum(DIGIT.prepared_edge)


def _is_prepared_negative(grey: Tensor, height: int, width: int) -> Tensor:
    mass = grey.sum().maximum(1.0)
    blank = (_edge(grey, height, width) <= DIGIT.negative_edge) & (grey.max() >= DIGIT.negative_white)
    for axis, side in ((0, height), (1, width)):
        place = grey.array(np.arange(side))
        blank = blank & (((grey.sum(1 - axis) * place).sum() / mass - side / 2).abs() <= DIGIT.negative_middle)
    return blank


def _edge(grey: Tensor, height: int, width: int) -> Tensor:
    """Average over the outermost pixels."""
    share = np.zeros((height, width))
    share[[0, -1]] = share[1:-1, [0, -1]] = 1
    return (grey * grey.array(share)).sum() / float(share.sum())
