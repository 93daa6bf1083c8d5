"""Sliding windows over a grey picture: means, and the closing that paints ink over with its surroundings.

All are separable and cost the same for every window size up to a logarithm. Beyond the
edge a picture goes on as its last pixel does, or, for means where asked for, as its mirror image.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
"""float32, (height, width)."""


def box_mean(grey: Grey, window: int, *, mirror: bool = False) -> Grey:
    """Average over a square of `window` (odd) pixels around each pixel."""
    return _mean_of_columns(_mean_of_columns(grey, window, mirror).T, window, mirror).T


def closing(grey: Grey, window: int) -> Grey:
    """Paint over everything dark that no square of `window` (odd) pixels fits into."""
    return -maximum(-maximum(grey, window), window)


def maximum(grey: Grey, window: int) -> Grey:
    """Take the brightest of a square of `window` (odd) pixels around each pixel."""
    return _maximum_of_columns(_maximum_of_columns(grey, window).T, window).T


def maximum_of_neighbours(grey: Grey) -> Grey:
    """Take the brightest of each pixel and its four neighbours."""
    return np.maximum(_maximum_of_columns(grey, 3), _maximum_of_columns(grey.T, 3).T)


def accumulate_rows(operation: np.ufunc, rows: NDArray[Any]) -> None:
    """Put in place of each row what the operation makes of it and of all rows above.

    The same as `operation.accumulate(rows, axis=0)`, which goes down one column after another and takes three times
    as long.
    """
    for above, row in pairwise(rows):
        operation(above, row, out=row)


def _mean_of_columns(grey: Grey, window: int, mirror: bool) -> Grey:
    sums = _beyond(grey, window // 2 + 1, window // 2, mirror=mirror).astype(np.float64)  # float32 is not enough here
    accumulate_rows(np.add, sums)
    means = sums[window:] - sums[:-window]
    means /= window
    return means.astype(np.float32)


def _maximum_of_columns(grey: Grey, window: int) -> Grey:
    """Take the maximum of two overlapping halves, each found the same way: log2(window) steps."""
    widest = _beyond(grey, window // 2, window // 2)
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        widest = np.maximum(widest[:-step], widest[step:])
        covered += step
    return widest


def _beyond(grey: Grey, above: int, below: int, *, mirror: bool = False) -> Grey:
    """Go on beyond the upper and the lower edge by some rows."""
    return grey[np.pad(np.arange(len(grey)), (above, below), mode="symmetric" if mirror else "edge")]
