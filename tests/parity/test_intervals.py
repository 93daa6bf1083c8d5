"""What a sample of so many inputs can tell."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.intervals import Z95, Lost, accuracy_lost, flips_lost, jackknife, unpaired_accuracy_lost


def _pairs(both: int, alone: int, gained: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    reference = np.repeat([True, True, False, False], [both, alone, gained, neither])
    stage = np.repeat([True, False, True, False], [both, alone, gained, neither])
    return stage, reference


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table III, method 10.
    [((36, 12, 2, 0), 0.0569, 0.3404), ((54, 0, 0, 0), -0.0664, 0.0664)],
)
def test_the_interval_of_paired_shares_is_as_published(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    lost = accuracy_lost(*_pairs(*counts), Z95)
    assert (lost.low, lost.high) == (pytest.approx(100 * low, abs=5e-3), pytest.approx(100 * high, abs=5e-3))


def test_the_interval_of_independent_shares_is_as_published() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), page 873, table II, method 10: 9 of 10 less 3 of 10."""
    lost = unpaired_accuracy_lost(0.3, 0.9, 10, Z95)
    assert (lost.percent, lost.low, lost.high) == pytest.approx((60.0, 17.05, 80.90), abs=5e-3)


def test_one_flip_of_few_images_is_no_loss_and_many_are() -> None:
    one = accuracy_lost(*_pairs(110, 1, 0, 9))
    assert one.percent == pytest.approx(100 / 120)
    assert one.holds(0.2)
    assert one.sentence(0.2).startswith("120 samples cannot tell that from 0.2: it may be ")
    assert not accuracy_lost(*_pairs(100, 11, 0, 9)).holds(0.2)
    assert accuracy_lost(*_pairs(9000, 15, 0, 985)).holds(0.2)
    assert not accuracy_lost(*_pairs(9000, 60, 0, 940)).holds(0.2), "10,000 images tell 0.6 from 0.2"


def test_of_nothing_allowed_nothing_is_lost() -> None:
    assert not flips_lost(np.arange(120) == 0).holds(0.0)
    assert flips_lost(np.zeros(120, bool)).holds(0.0)
    assert flips_lost(np.arange(120) == 0).holds(0.2)
    assert not flips_lost(np.arange(120) < 8).holds(0.2)


def test_more_images_are_needed_where_less_is_allowed() -> None:
    lost = flips_lost(np.arange(400) < 2)
    assert lost.needed(0.1) > lost.needed(0.2) > 400


def test_the_jackknife_knows_the_error_of_a_mean() -> None:
    values = np.random.default_rng(2).normal(5.0, 2.0, 4000)
    lost = jackknife(lambda chosen: float(values[chosen].mean()), 4000)
    assert lost.percent == pytest.approx(values.mean())
    assert (lost.high - lost.low) / 2 == pytest.approx(1.645 * 2.0 / np.sqrt(4000), rel=0.5)
    assert jackknife(lambda _: 3.0, 1) == Lost(3.0, 3.0, 3.0, 1)
