"""How far a median can be trusted, and whether two of them can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import TypeVar

Key = TypeVar("Key")

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


def surely_fastest(ratios: Mapping[Key, Interval], first: Key, *, least_gain: float = 0.0) -> Key:
    """Return which of several is the fastest beyond doubt; the first where none is.

    Args:
        ratios: the time of each as a multiple of the first's.
        first: the one to beat.
        least_gain: the share of the first's time that another must surely save.

    Example:
        >>> surely_fastest({"a": interval_of([1.0]), "b": interval_of([0.9, 1.1]), "c": interval_of([0.94])}, "a")
        'c'
    """
    sure = [key for key, ratio in ratios.items() if ratio.high < 1.0 - least_gain]
    return min(sure, key=lambda key: ratios[key].median, default=first)
