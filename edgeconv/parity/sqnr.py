"""The ratio of signal to quantization noise, in decibels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-30
"""Powers below it count as it: a signal of nothing but zeros has a finite, very bad ratio."""


def power(values: NDArray[Any]) -> float:
    """Return the sum of the squares of values, in float64."""
    return float(np.square(values.astype(np.float64, copy=False)).sum())


def sqnr_db(signal: float, noise: float) -> float | None:
    """Return the power of a signal over that of its noise, in dB; None where there is no noise.

    `10 log10(signal / noise)`, powers being sums of squares: A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal
    Processing, section 4.8.

    Example:
        >>> sqnr_db(100.0, 1.0)
        20.0
    """
    return None if noise == 0.0 else 10.0 * math.log10(max(signal, SMALLEST) / max(noise, SMALLEST))
