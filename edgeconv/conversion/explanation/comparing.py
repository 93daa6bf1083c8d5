"""One tensor against the tensor it should equal, whatever the order in which the graph lays its axes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.explanation.statistics import SMALLEST_SPREAD
from edgeconv.parity.sqnr import power, sqnr_db

_MOVES = ((1, -1), (-1, 1), (0, 1))
"""Axes that a graph may have moved: channels to the back or the front, and time in front of the batch."""


@dataclass(frozen=True)
class TensorComparison:
    """How far a tensor lies from what is expected.

    Attributes:
        max_error: largest difference of two elements; infinite where one alone is no finite number.
        spread: largest minus smallest element expected.
        sqnr_db: power of what is expected over that of the differences, in dB; None where there is no difference.
    """

    max_error: float
    spread: float
    sqnr_db: float | None

    @property
    def share(self) -> float:
        """The largest difference as a share of the spread."""
        return self.max_error / self.spread


def compare(expected: NDArray[Any], received: NDArray[Any]) -> TensorComparison | None:
    """Compare a tensor in the layout that fits best; None where it has another number of elements.

    Args:
        expected: numbers or booleans, any shape.
        received: the same elements, their axes possibly in the order of ONNX, or merged.
    """
    if expected.size != received.size or not expected.size:
        return None
    wanted = expected.astype(np.float64)
    found = (_compared(wanted, laid_out) for laid_out in _layouts(received.astype(np.float64), expected.shape))
    return min(found, key=lambda comparison: comparison.max_error)


def compare_as_it_is(expected: NDArray[Any], received: NDArray[Any]) -> TensorComparison:
    """Compare a tensor whose layout counts, as that of an answer does; another shape is an infinite error."""
    if expected.shape != received.shape:
        return TensorComparison(float("inf"), SMALLEST_SPREAD, float("-inf"))
    if not expected.size:
        return TensorComparison(0.0, SMALLEST_SPREAD, None)
    return _compared(expected.astype(np.float64), received.astype(np.float64))


def best_of(
    expected: NDArray[Any], received: Mapping[str, NDArray[Any]], names: Sequence[str]
) -> tuple[str, TensorComparison] | None:
    """Return the name of the tensor that lies nearest, and how near; the earliest name where several do."""
    compared = ((name, compare(expected, received[name])) for name in names)
    found = [(name, comparison) for name, comparison in compared if comparison is not None]
    return min(found, key=lambda pair: pair[1].max_error, default=None)


def _layouts(array: NDArray[Any], shape: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    yield array.reshape(shape)
    for source in {array.ndim: array, array.squeeze().ndim: array.squeeze()}.values():
        for start, end in _MOVES:
            if source.ndim > 2:
                yield np.moveaxis(source, start, end).reshape(shape)


def _compared(expected: NDArray[np.float64], received: NDArray[np.float64]) -> TensorComparison:
    finite = expected[np.isfinite(expected)]
    spread = max(float(np.ptp(finite)), SMALLEST_SPREAD) if finite.size else SMALLEST_SPREAD
    same = (expected == received) | (np.isnan(expected) & np.isnan(received))
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.where(same, 0.0, np.abs(expected - received))
    max_error = float(error.max())
    if not np.isfinite(max_error):
        return TensorComparison(float("inf"), spread, float("-inf"))
    return TensorComparison(max_error, spread, sqnr_db(power(finite), power(error)))
