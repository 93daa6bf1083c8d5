"""Greys of more than 8 bits become bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def deep_to_bytes(values: NDArray[Any], mode: str, white: float | None = None) -> NDArray[np.uint8]:
    """Convert greys of 16 or 32 bits, or floats, to uint8, (height, width, 1).

    Args:
        values: (height, width).
        mode: Pillow's name of them: ``"I;16"`` and those that begin so, ``"I"`` or ``"F"``.
        white: full scale of what has 32 bits; by default the smallest usual one that holds the brightest pixel.
    """
    if mode.startswith("I;16"):
        return _scaled(values, 65535)
    return _scaled(values, _full_scale(mode, brightest(values) if white is None else white))


def brightest(values: NDArray[Any]) -> float:
    """Return the greatest of values that is a finite number, 0 at least."""
    return float(np.max(values, initial=0, where=np.isfinite(values)))


def _full_scale(mode: str, most: float) -> float:
    """White, for files that do not say it: the smallest usual full scale that holds the brightest pixel."""
    usual = (255, 65535) if mode == "I" else (1, 255, 65535)
    return next((scale for scale in usual if most <= scale), most)


def _scaled(values: NDArray[Any], full_scale: float) -> NDArray[np.uint8]:
    shares = np.clip(np.nan_to_num(values.astype(np.float64)), 0, full_scale) / full_scale
    return np.rint(shares * 255).astype(np.uint8)[..., None]
