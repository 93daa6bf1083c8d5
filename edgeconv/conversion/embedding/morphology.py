"""`edgeconv.morphology` as ONNX operators: means and maxima in sliding windows.

Maps of grey are float32, (1, maps, height, width): pooling wants them so, and several are looked at in one go.
"""

from __future__ import annotations

from edgeconv.conversion.embedding.tensors import FLOAT, Tensor, arange

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
    return -_wide_maximum(-_wide_maximum(grey, window, most), window, most)


def maximum(grey: Tensor, window: int) -> Tensor:
    """Take the brightest of a square of `window` (odd) pixels around each pixel."""
    half = window // 2
    rows = grey.apply("MaxPool", kernel_shape=[window, 1], pads=[half, 0, half, 0])
    return rows.apply("MaxPool", kernel_shape=[1, window], pads=[0, half, 0, half])


def maximum_of_neighbours(grey: Tensor) -> Tensor:
    """Take the brightest of each pixel and its four neighbours."""
    rows = grey.apply("MaxPool", kernel_shape=[3, 1], pads=[1, 0, 1, 0])
    return rows.maximum(grey.apply("MaxPool", kernel_shape=[1, 3], pads=[0, 1, 0, 1]))


def minimum_so_far(grey: Tensor, axis: int, longest: int, *, backward: bool = False) -> Tensor:
    """Take the least of each pixel and all before it on an axis, `longest` at most, or all behind it."""
    least, step = grey, 1
    while step < longest:
        padded = _pad(least, axis, *((0, step) if backward else (step, 0)), -_LOWEST)
        least = least.minimum(padded.slice(axis, step, None) if backward else padded.slice(axis, 0, -step))
        step *= 2
    return least


def _wide_maximum(grey: Tensor, window: Tensor, most: int) -> Tensor:
    return _maximum_on_axis(_maximum_on_axis(grey, 2, window, most), 3, window, most)


def _maximum_on_axis(grey: Tensor, axis: int, window: Tensor, most: int) -> Tensor:
    """Take the maximum of two overlapping halves, each found the same way; a step of 0 changes nothing."""
    half = window // 2
    widest = _pad(grey, axis, half, half, _LOWEST)
    covered = window.like(1)
    reach = 1
    while reach < most:
        step = covered.minimum(window - covered).reshape(1)
        length = widest.size(axis)
        widest = widest.slice(axis, 0, length - step).maximum(widest.slice(axis, step, None))
        covered, reach = covered + step, reach * 2
    return widest


def _extended(place: Tensor, count: Tensor, half: Tensor) -> Tensor:
    """Build the matrix of a mean where the first and the last pixel stand for all beyond them."""
    here = place.reshape(-1, 1)
    near = ((here - place).abs() <= half).as_type(FLOAT)
    before = (half - here).maximum(0.0) * place.equals(0.0).as_type(FLOAT)
    behind = (here + half - (count - 1.0)).maximum(0.0) * place.equals(count - 1.0).as_type(FLOAT)
    return (near + before + behind) / (half * 2 + 1)


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


def _pad(grey: Tensor, axis: int, before: int | Tensor, behind: int | Tensor, value: float) -> Tensor:
    """Add `value` on one axis of maps."""
    ends: list[int | Tensor] = [0] * 8
    ends[axis], ends[axis + 4] = before, behind
    return grey.apply("Pad", grey.indices(ends), value)
