"""Sliding windows over a grey picture: means, and the closing that paints ink over with its surroundings.

All are separable and cost the same for every window size up to a logarithm. Beyond the
edge a picture goes on as its last pixel does, or, for means where asked for, as its mirror image.
"""

from __future__ import annotations

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


def _mean_of_columns(grey: Grey, window: int, mirror: bool) -> Grey:
    padded = np.pad(grey, ((window // 2 + 1, window // 2), (0, 0)), mode="symmetric" if mirror else "edge")
    sums = np.cumsum(padded, axis=0, dtype=np.float64)  # float32 would lose the last digits of long sums
    return ((sums[window:] - sums[:-window]) / window).astype(np.float32)


def _maximum_of_columns(grey: Grey, window: int) -> Grey:
    """Take the maximum of two overlapping halves, each found the same way: log2(window) steps."""
    widest = np.pad(grey, ((window // 2, window // 2), (0, 0)), mode="edge")
    covered = 1
    while covered < window:
        step = min(covered, window - covered)
        widest = np.maximum(widest[:-step], widest[step:])
        covered += step
    return widest
