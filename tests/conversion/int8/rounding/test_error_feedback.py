"""Errors of rounding that the columns still to come make up for."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.int8.rounding import error_feedback
from edgeconv.conversion.int8.rounding.error_feedback import round_with_feedback
from tests.conversion.randomness import RNG

FREE = np.nan


def _inputs(groups: int, width: int) -> Any:
    """Return rows whose columns have much in common, and different weight."""
    shared = RNG.normal(size=(groups, 500, 1)) + 0.3 * RNG.normal(size=(groups, 500, width))
    return shared * RNG.uniform(0.3, 3, width)


def _gram(rows: Any) -> Any:
    return rows.transpose(0, 2, 1) @ rows / rows.shape[1]


def _errors(rows: Any, weights: Any, steps: Any) -> Any:
    """Return the mean square of what rounding changes in each output, (groups, outputs)."""
    return ((rows @ (steps - weights).transpose(0, 2, 1)) ** 2).mean(axis=1)


@pytest.mark.parametrize("block", [1, 5, 128])
def test_what_comes_out_is_nearer_than_with_nearest_steps(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(error_feedback, "BLOCK", block)
    rows, weights = _inputs(3, 20), RNG.uniform(-7, 7, (3, 8, 20))
    steps = round_with_feedback(weights, np.ones(weights.shape), _gram(rows), np.full(weights.shape, FREE), 8.0)
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert _errors(rows, weights, steps).mean() < 0.2 * _errors(rows, weights, np.rint(weights)).mean()


def test_it_comes_near_the_best_of_all_roundings() -> None:
    rows, weights = _inputs(1, 6), RNG.uniform(-7, 7, (1, 20, 6))
    ways = np.array(list(itertools.product((0, 1), repeat=6)))
    floors = np.floor(weights)[0][:, None]
    best = np.array([_errors(rows, weights[:, [at]], floors[at] + ways[None]).min() for at in range(20)])
    found = _errors(
        rows,
        weights,
        round_with_feedback(weights, np.ones(weights.shape), _gram(rows), np.full(weights.shape, FREE), 8.0),
    )
    assert found.mean() < 2 * best.mean()


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, weights = _inputs(2, 9), RNG.uniform(-7, 7, (2, 4, 9))
    found = []
    for block in (2, 9):
        monkeypatch.setattr(error_feedback, "BLOCK", block)
        found.append(
            round_with_feedback(weights, np.ones(weights.shape), _gram(rows), np.full(weights.shape, FREE), 8.0)
        )
    np.testing.assert_array_equal(*found)


def test_inputs_that_have_nothing_in_common_leave_the_nearest_steps() -> None:
    weights = RNG.uniform(-7, 7, (2, 4, 9))
    gram = np.stack([np.diag(RNG.uniform(0.5, 2, 9))] * 2)
    np.testing.assert_array_equal(
        round_with_feedback(weights, np.ones(weights.shape), gram, np.full((2, 4, 9), FREE), 8.0), np.rint(weights)
    )


def test_pinned_steps_and_the_highest_are_kept() -> None:
    rows, weights = _inputs(2, 9), RNG.uniform(-7, 7, (2, 4, 9))
    pinned = np.where(RNG.random(weights.shape) < 0.3, np.rint(weights) + 1, FREE)
    steps = round_with_feedback(weights, np.ones(weights.shape), _gram(rows), pinned, 6.0)
    fixed = ~np.isnan(pinned)
    np.testing.assert_array_equal(steps[fixed], pinned[fixed])
    assert np.abs(steps[~fixed]).max() == 6.0


def test_steps_may_differ_in_worth_from_weight_to_weight() -> None:
    rows, weights = _inputs(2, 20), RNG.uniform(-7, 7, (2, 4, 20))
    scale = RNG.uniform(0.5, 2, weights.shape)
    steps = round_with_feedback(weights, scale, _gram(rows), np.full(weights.shape, FREE), 100.0)
    nearest = _errors(rows, weights, np.rint(weights / scale) * scale)
    assert _errors(rows, weights, steps * scale).mean() < 0.2 * nearest.mean()
