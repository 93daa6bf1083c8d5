"""How far outputs lie apart, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.runtime.differences import cell_of, difference, most_far, share_beyond


def test_what_is_no_number_differs_infinitely() -> None:
    assert difference(np.array([1.0, np.nan]), np.array([1.0, 1.0])) == np.inf
    assert difference(np.array([np.inf, 1.0]), np.array([np.inf, 3.0])) == 2.0
    assert difference(np.array([255], np.uint8), np.array([0], np.uint8)) == 255.0
    assert difference(np.zeros((0, 4)), np.zeros((0, 4)), 4, 0.5) == 0.0


def test_pixels_are_spared_as_a_whole_and_those_without_a_number_are_not() -> None:
    wanted = np.zeros((1, 10, 10, 3), np.float32)
    received = wanted.copy()
    received[0, 0, :2] = 0.9
    received[0, 5, 5, 1] = 0.1
    assert difference(received, wanted, 3) == pytest.approx(0.9)
    assert difference(received, wanted, 3, 0.01) == pytest.approx(0.9)
    assert difference(received, wanted, 3, 0.02) == pytest.approx(0.1)
    assert share_beyond(received, wanted, 0.2, 3) == pytest.approx(0.02)
    received[0, 0, 0, 2] = np.nan
    assert difference(received, wanted, 3, 0.02) == np.inf


def test_only_outputs_with_many_cells_have_some_that_may_be_far_off() -> None:
    assert most_far("mask", (None, 48, 48, 4)) == most_far("any", ("batch", "time", 3)) == 0.05
    assert most_far("boxes", (None, 100)) == most_far("boxes", (None, 100, 4)) == 0.01
    assert most_far("classes", (None, 1000)) == most_far("values", (None, 640)) == 0.0
    assert (cell_of("float32", ("batch", "time", 3)), cell_of("float32", (1, 7, None))) == (3, 1)
