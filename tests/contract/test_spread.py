from __future__ import annotations

import math

import numpy as np
import pytest

from edgeconv.spread import Interval, interval_of, ratio_of, surely_fastest


def test_the_interval_of_twelve_rounds_leaves_two_out_at_each_end() -> None:
    assert interval_of([float(value) for value in reversed(range(12))]) == Interval(5.5, 2.0, 9.0)


@pytest.mark.parametrize("count", [6, 12, 25, 60])
def test_no_narrower_interval_is_as_sure(count: int) -> None:
    """The k-th smallest of n independent values is above the median if fewer than k are below it."""
    place = int(interval_of([float(value) for value in range(count)]).low)
    missed = [
        2 * sum(math.comb(count, below) for below in range(places)) / 2**count for places in (place + 1, place + 2)
    ]
    assert missed[0] <= 0.05 < missed[1]


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).exponential(size=(2000, 12))
    found = [interval_of(row.tolist()) for row in draws]
    held = np.mean([interval.low <= math.log(2) <= interval.high for interval in found])
    # 96.1 % by the binomial distribution; 2,000 draws are off by 0.4 points in one of three cases.
    assert 0.945 <= held <= 0.975


def test_few_values_have_their_range() -> None:
    assert interval_of([3.0, 1.0, 2.0]) == Interval(2.0, 1.0, 3.0)
    assert interval_of([3.0]) == Interval(3.0, 3.0, 3.0)


def test_what_slows_a_whole_round_cancels_out() -> None:
    others = [float(value) for value in (1, 9, 2, 30, 1, 4, 8, 1)]
    ratio = ratio_of([0.5 * value for value in others], others)
    assert (ratio.low, ratio.median, ratio.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "told_apart", "too_wide"),
    [(0.5, 0.9, True, False), (1.1, 1.2, True, False), (0.97, 1.04, False, False), (0.7, 1.01, False, True)],
)
def test_equal_is_not_noisy(low: float, high: float, told_apart: bool, too_wide: bool) -> None:
    ratio = Interval((low + high) / 2, low, high)
    assert (ratio.told_apart, ratio.too_wide) == (told_apart, too_wide)


def test_only_what_is_surely_faster_takes_the_place_of_the_first() -> None:
    lucky, sure, slow = Interval(0.5, 0.4, 1.01), Interval(0.8, 0.7, 0.9), Interval(0.85, 0.8, 0.9)
    ratios = {"first": Interval(1.0, 1.0, 1.0), "lucky": lucky, "slow": slow, "sure": sure}
    assert surely_fastest(ratios, "first") == "sure"
    assert surely_fastest(ratios, "first", least_gain=0.1) == "first"
