"""The steps that a layer's int8 weights can take, and float weights that lie on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """Steps from a scale that the largest weight sets: it stays, so that a quantizer finds the same scale again.

    Attributes:
        weights: float32, of any shape, before they are rounded.
        scale: float32, broadcastable to `weights`: one number, or one for each channel.
    """

    weights: NDArray[np.float32]
    scale: NDArray[np.float32]

    @property
    def scales(self) -> NDArray[np.float64]:
        """What a step of each weight is worth; shaped as `weights`."""
        return np.broadcast_to(self.scale.astype(np.float64), self.weights.shape)

    @property
    def in_steps(self) -> NDArray[np.float64]:
        """The weights in steps, not rounded."""
        return self.weights / self.scale.astype(np.float64)

    @property
    def highest(self) -> float:
        """The largest number of steps, and with another sign the lowest."""
        return float(np.rint(np.abs(self.in_steps).max(initial=0.0)))

    @property
    def pinned(self) -> NDArray[np.float64]:
        """Whole steps of the weights that set a scale; not a number where one may go up or down."""
        return np.where(np.abs(self.weights) >= self._largest, np.rint(self.in_steps), np.nan)

    def as_float(self, steps: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return weights of so many steps, none beyond the largest."""
        values = np.clip((steps * self.scale).astype(np.float32), -self._largest, self._largest)
        return np.where(np.isnan(self.pinned), values, self.weights).astype(np.float32)

    @property
    def _largest(self) -> NDArray[np.float32]:
        magnitudes = np.abs(self.weights)
        shared = tuple(axis for axis, size in enumerate(self.scale.shape) if size == 1)
        return np.asarray(magnitudes.max(axis=shared, keepdims=True) if self.scale.ndim else magnitudes.max())
