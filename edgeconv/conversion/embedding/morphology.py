"""`edgeconv.pictures.morphology` as ONNX operators: means and maxima in sliding windows.

Maps of grey are float32, (1, maps, SIDE, SIDE): pooling wants them so, and several are looked at in one go. Their size
is known, so no window has to be found in a loop, and providers know all shapes beforehand.
"""

from __future__ import annotations

from edgeconv.conversion.embedding.tensors import Tensor, join, where
from edgeconv.recipe import DIGIT

SIDE = DIGIT.canvas
"""Rows and columns of every map: of the copy that is searched, and of the canvas."""

_WIDEST = 17
"""Pixels that one pool looks at: ONNX Runtime takes so many at once, and more one by one."""

_BLOCK = 16
"""A line is looked at in blocks of so many pixels."""

LOWEST = -3e38
"""Less than every number: a maximum does not see it."""


def box_mean(grey: Tensor, window: int) -> Tensor:
    """Average over a square of `window` (odd) pixels around each pixel; beyond the edge it goes on as at the edge."""
    width = window // 2
    pads = grey.integers([0, 0, width, width, 0, 0, width, width])
    return grey.apply("Pad", pads, mode="edge").apply("AveragePool", kernel_shape=[window, window])


def negative_closing(grey: Tensor, window: int, inside: Tensor | None = None) -> Tensor:
    """Paint over everything dark that no square of `window` (odd) pixels fits into, and turn the sign.

    Args:
        grey: the maps; beyond what is inside they go on as at its edge.
        window: of the square.
        inside: bool, (SIDE, SIDE), the part that counts; by default all.
    """
    painted = -maximum(grey, window)
    return maximum(painted if inside is None else where(inside, painted, LOWEST), window)


def maximum(grey: Tensor, window: int) -> Tensor:
    """Take the brightest of a square of `window` (odd) pixels around each pixel: of a wide one in several steps."""
    while window > 1:
        step = min(window, _WIDEST)
        grey, window = grey.apply("MaxPool", kernel_shape=[step, step], pads=[step // 2] * 4), window - step + 1
    return grey


def maximum_of_neighbours(grey: Tensor) -> Tensor:
    """Take the brightest of each pixel and its four neighbours."""
    rows = grey.apply("MaxPool", kernel_shape=[3, 1], pads=[1, 0, 1, 0])
    return rows.maximum(grey.apply("MaxPool", kernel_shape=[1, 3], pads=[0, 1, 0, 1]))


def reaching(light: Tensor, inside: Tensor | None = None) -> Tensor:
    """Map the brightest in a straight line between each pixel and an edge, whichever is the darkest.

    Args:
        light: the maps.
        inside: bool, (SIDE, SIDE), the part whose edges count; by default all.
    """
    views = both_ways(light if inside is None else where(inside, light, LOWEST))
    far = SIDE // _BLOCK
    ends = []
    for before in (True, False):
        # The brightest of a block, and of all blocks: each pixel and those that lie a whole block, two ... away.
        near = _one_sided(views, _BLOCK, before=before).reshape(0, 0, far, -1)
        ends.append(_one_sided(near, far, before=before))
    columns, rows = ends[0].minimum(ends[1]).reshape(2, -1, SIDE, SIDE).split(0)
    return columns.minimum(rows.transpose(0, 1, 3, 2))


def both_ways(grey: Tensor) -> Tensor:
    """Return maps as they are, and on their side, (2, maps, SIDE, SIDE): both have as columns what is looked along."""
    return join([grey, grey.transpose(0, 1, 3, 2)])


def _one_sided(grey: Tensor, rows: int, *, before: bool) -> Tensor:
    """Take the brightest of each pixel and those above it, or below it, of so many rows."""
    return grey.apply("MaxPool", kernel_shape=[rows, 1], pads=[rows - 1, 0, 0, 0] if before else [0, 0, rows - 1, 0])
