"""How far a median can be trusted, and whether two of them can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Any

CONFIDENCE = 0.95

RESOLUTION = 1.05
"""Two variants whose times differ by less than 5 % are equal for whoever must choose one."""


@dataclass(frozen=True)
class Interval:
    """A median with its interval of at least 95 % confidence."""

    median: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the interval as a JSON object."""
        return {"median": self.median, "low": self.low, "high": self.high}

    @property
    def told_apart(self) -> bool:
        """Whether a ratio is surely not 1."""
        return not self.low <= 1.0 <= self.high

    @property
    def too_wide(self) -> bool:
        """Whether a ratio may be 1, and may as well be one that matters: the machine is too noisy to tell."""
        return not self.told_apart and (self.low < 1.0 / RESOLUTION or self.high > RESOLUTION)


@dataclass(frozen=True)
class Comparison:
    """The times of one row as a multiple of another's, over rounds in which both ran."""

    faster: str
    slower: str
    ratio: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return {
            "faster": self.faster,
            "slower": self.slower,
            "ratio": self.ratio.as_dict(),
            "told_apart": self.ratio.told_apart,
            "too_noisy": self.ratio.too_wide,
        }


def interval_of(values: Sequence[float]) -> Interval:
    """Return the median of independent values with an interval that rests on no assumption about how they spread.

    The interval lies between the k-th smallest and the k-th largest value, with the largest k for which a binomial
    variable of n throws of a fair coin is below k with at most 2.5 % probability (W. R. Thompson, Annals of
    Mathematical Statistics 7, 1936; H. A. David and H. N. Nagaraja, Order Statistics, 2003, section 7.1). Fewer than
    six values have no such k: theirs is the whole range, which holds the median less surely.

    Example:
        >>> interval_of([3.0, 1.0, 2.0, 9.0, 4.0, 5.0])
        Interval(median=3.5, low=1.0, high=9.0)
    """
    ordered, count = sorted(values), len(values)
    below, rank = 0.0, 0
    while rank < count // 2:
        below += comb(count, rank) / 2.0**count
        if below > (1.0 - CONFIDENCE) / 2.0:
            break
        rank += 1
    place = max(rank, 1) - 1
    return Interval(median(ordered), ordered[place], ordered[count - 1 - place])


def ratio_of(times: Sequence[float], others: Sequence[float]) -> Interval:
    """Return how many times as long `times` are as `others`, value by value: what slows a whole round cancels out."""
    return interval_of([time / other for time, other in zip(times, others, strict=True)])
