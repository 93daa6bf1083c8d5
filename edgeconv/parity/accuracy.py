"""How much a stage may lose, and how much accuracy it loses against its reference."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edgeconv.tasks import CLASSES, YES_NO

RIGHT_ANSWERS = 0.2
"""Percentage points of accuracy: two answers of a thousand."""

ONE_PERCENT = 1.0
"""Percent of what other tasks are judged by. MLPerf Inference asks for 99 % of what float32 reaches (V. J. Reddi et
al., "MLPerf Inference Benchmark", ISCA 2020). As an error over the spread of an output it is 2.5 of the 255 steps that
the output has in int8, and as noise in a picture it is 40 dB, which is hard to see."""

SLACK = 1e-9
"""Percentage points. A drop is a difference of two shares: the rounding of its last bit must not decide."""


def limit_of(task: str, stated: float | None) -> float:
    """Return the percent that int8 may lose.

    Args:
        task: of the model, a key of `TASKS`.
        stated: what its user allows, or None.

    Example:
        >>> limit_of("classes", None), limit_of("mask", None), limit_of("mask", 0.5)
        (0.2, 1.0, 0.5)
    """
    return stated if stated is not None else RIGHT_ANSWERS if task in {CLASSES, YES_NO} else ONE_PERCENT


def unit_of(task: str) -> str:
    """Return the unit of what int8 loses: of accuracy, percentage points."""
    return "points" if task in {CLASSES, YES_NO} else "percent"


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
