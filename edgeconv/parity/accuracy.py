"""How much accuracy a stage loses against its reference: one formula, and the slack of its limit."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

SLACK = 1e-9
"""Percentage points. A drop is a difference of two shares: the rounding of its last bit must not decide."""


def drop_in_points(reference: float, accuracy: float) -> float:
    """Return the percentage points that an accuracy lies below the reference's; negative where it lies above.

    Args:
        reference: share of right answers, 0 to 1.
        accuracy: the same.

    Example:
        >>> drop_in_points(0.75, 0.5)
        25.0
    """
    return 100.0 * (reference - accuracy)


def accuracy_drop(classes: NDArray[Any], reference: NDArray[Any], labels: NDArray[Any] | None) -> float:
    """Return the percentage points that answers lose; without labels, the reference's answers are the truth.

    Args:
        classes: the classes answered, int64, (n,).
        reference: those of the reference.
        labels: the true ones, or None.

    Example:
        >>> import numpy as np
        >>> accuracy_drop(np.array([0, 1, 1, 1]), np.array([0, 1, 0, 1]), None)
        25.0
    """
    truth = reference if labels is None else labels
    return drop_in_points(float((reference == truth).mean()), float((classes == truth).mean()))


def within(drop: float, limit: float) -> bool:
    """Return whether a drop is at most its limit, both in percentage points."""
    return drop <= limit + SLACK
