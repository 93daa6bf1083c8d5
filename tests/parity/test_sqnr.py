from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.sqnr import power, sqnr_db


def test_ten_decibels_are_a_tenth_of_the_power() -> None:
    signal, noise = np.array([3.0, -4.0], np.float32), np.array([0.3, 0.4])
    assert sqnr_db(power(signal), power(noise)) == pytest.approx(20.0)
    assert sqnr_db(10.0, 1.0) == pytest.approx(10.0)


def test_no_noise_has_no_ratio_and_no_signal_a_finite_one() -> None:
    assert sqnr_db(25.0, 0.0) is None
    assert sqnr_db(0.0, 1.0) == pytest.approx(-300.0)


def test_the_sum_of_many_small_squares_is_taken_in_float64() -> None:
    assert power(np.full(10**6, 0.1, np.float32)) == pytest.approx(1e4, rel=1e-6)
