"""Five numbers that identify a tensor whatever the order of its axes, and are cheap to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_SPREAD = 1e-6
"""Stands in for the spread of a tensor that is constant."""


@dataclass(frozen=True)
class TensorStatistics:
    """What transposing and reshaping a tensor leave alone.

    Attributes:
        size: number of elements.
        low, high, mean: of the elements.
        rms: root of the mean of their squares.
    """

    size: int
    low: float
    high: float
    mean: float
    rms: float

    @classmethod
    def of(cls, array: NDArray[Any]) -> TensorStatistics:
        """Measure a tensor of numbers or booleans."""
        if not array.size:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        flat = array.astype(np.float32, copy=False).ravel()
        rms = float(np.sqrt(np.mean(np.square(flat, dtype=np.float64))))
        return cls(flat.size, float(flat.min()), float(flat.max()), float(flat.mean(dtype=np.float64)), rms)

    @property
    def spread(self) -> float:
        """Largest element minus smallest, at least `SMALLEST_SPREAD`."""
        return max(self.high - self.low, SMALLEST_SPREAD)

    def distance(self, other: TensorStatistics) -> float:
        """Return the largest difference as a share of the spread; infinite for tensors of other sizes."""
        if self.size != other.size:
            return float("inf")
        pairs = ((self.low, other.low), (self.high, other.high), (self.mean, other.mean), (self.rms, other.rms))
        worst = max(0.0 if a == b else abs(a - b) for a, b in pairs)
        return worst / self.spread if np.isfinite(worst) else float("inf")
