"""`edgeconv.pictures.morphology` as ONNX operators: means and maxima in sliding windows.

Maps of grey are float32, (1, maps, height, width): pooling wants them so, and several are looked at in one go.
"""

from __future__ import annotations

from edgeconv.conversion.embedding.control import repeat
from edgeconv.conversion.embedding.tensors import FLOAT, Tensor, arange, where

_LOWEST = -3e38
"""Less than every number: a maximum does not see it."""


def box_mean(grey: Tensor, window: int) -> Tensor:
    """Average over a square of `window` (odd) pixels around each pixel; beyond the edge it goes on as at the edge."""
    return _edge(grey, window // 2).apply("AveragePool", kernel_shape=[window, window])


def wide_box_mean(grey: Tensor, half: Tensor, *, mirror: bool = False) -> Tensor:
    """Average over a square of `2 * half + 1` pixels, at most as many as the map has, as two matrix products.

    Args:
        grey: the maps.
        half: float32, one element.
        mirror: beyond the edge all goes on as its mirror image, not as the last pixel.
    """
    weights = _mirrored if mirror else _extended
    vertical, horizontal = (weights(arange(grey.size(axis)), grey.size(axis).as_type(FLOAT), half) for axis in (2, 3))
    return vertical @ grey @ horizontal.transpose(1, 0)


def closing(grey: Tensor, window: int) -> Tensor:
    """Paint over everything dark that no square of `window` (odd) pixels fits into."""
    return -maximum(-maximum(grey, window), window)


def wide_closing(grey: Tensor, window: Tensor, most: int) -> Tensor:
    """Do as `closing` with a window that is only known when the graph runs: int64, one element, `most` at most."""

    def opposite(grey: Tensor) -> list[Tensor]:
        return [-_maximum_on_axis(_maximum_on_axis(grey, 2, window, most), 3, window, most)]

    return repeat("closing", 2, opposite, grey)[0]


def maximum(grey: Tensor, window: int) -> Tensor:
    """Take the brightest of a square of `window` (odd) pixels around each pixel."""
    half = window // 2
    rows = grey.apply("MaxPool", kernel_shape=[window, 1], pads=[half, 0, half, 0])
    return rows.apply("MaxPool", kernel_shape=[1, window], pads=[0, half, 0, half])


def maximum_of_neighbours(grey: Tensor) -> Tensor:
    """Take the brightest of each pixel and its four neighbours."""
    rows = grey.apply("MaxPool", kernel_shape=[3, 1], pads=[1, 0, 1, 0])
    return rows.maximum(grey.apply("MaxPool", kernel_shape=[1, 3], pads=[0, 1, 0, 1]))


def minimum_so_far(grey: Tensor, axis: int, longest: int) -> list[Tensor]:
    """Take the least of each pixel and all before it on an axis, `longest` at most, and of all behind it."""
    length = grey.size(axis)

    def double(before: Tensor, behind: Tensor, step: Tensor) -> list[Tensor]:
        return [
            before.minimum(_pad(before, axis, step, -step, -_LOWEST)),
            behind.minimum(_pad(behind, axis, -step, step, -_LOWEST)),
            step + step,
        ]

    rounds = (longest - 1).bit_length()
    return repeat("so_far", rounds, double, grey, grey, length.integers([1]), again=lambda *made: made[2] < length)[:2]


def _maximum_on_axis(grey: Tensor, axis: int, window: Tensor, most: int) -> Tensor:
    """Take the maximum of two overlapping halves, each found the same way."""
    half = window // 2

    def double(widest: Tensor, covered: Tensor) -> list[Tensor]:
        step = covered.minimum(window - covered)
        halves = widest.slice(axis, None, -step), widest.slice(axis, step, None)
        return [halves[0].maximum(halves[1]), covered + step]

    start = _pad(grey, axis, half, half, _LOWEST), window.integers([1])
    return repeat("window", (most - 1).bit_length(), double, *start, again=lambda _, covered: covered < window)[0]


def _extended(place: Tensor, count: Tensor, half: Tensor) -> Tensor:
    """Build the matrix of a mean where the first and the last pixel stand for all beyond them."""
    here = place.reshape(-1, 1)
    first = where(place.equals(0.0), place.like(_LOWEST), place)
    last = where(place.equals(count - 1.0), place.like(-_LOWEST), place)
    covered = (here + half).minimum(last) - (here - half).maximum(first) + 1.0
    return covered.maximum(0.0) / (half * 2 + 1)


def _mirrored(place: Tensor, count: Tensor, half: Tensor) -> Tensor:
    """Build the matrix of a mean where all beyond the edge is its mirror image."""
    here = place.reshape(-1, 1)
    near = (here - place).abs() <= half
    before = here + place + 1.0 <= half
    behind = count * 2 - 1.0 - here - place <= half
    return (near.as_type(FLOAT) + before.as_type(FLOAT) + behind.as_type(FLOAT)) / (half * 2 + 1)


def _edge(grey: Tensor, width: int) -> Tensor:
    pads = grey.integers([0, 0, width, width, 0, 0, width, width])
    return grey.apply("Pad", pads, mode="edge")


def _pad(grey: Tensor, axis: int, before: Tensor, behind: Tensor, value: float) -> Tensor:
    """Add `value` on one axis of maps; less than 0 cuts off."""
    ends: list[int | Tensor] = [0] * 8
    ends[axis], ends[axis + 4] = before, behind
    return grey.apply("Pad", grey.indices(ends), value)
