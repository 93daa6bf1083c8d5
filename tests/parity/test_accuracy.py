from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.accuracy import SLACK, accuracy_drop, drop_in_points, within

REFERENCE = np.array([0, 1, 0, 1])


def test_a_drop_is_what_fewer_answers_are_right() -> None:
    labels = np.array([0, 1, 1, 1])
    assert accuracy_drop(np.array([0, 0, 0, 1]), REFERENCE, labels) == 25.0
    assert accuracy_drop(np.array([0, 1, 1, 1]), REFERENCE, labels) == -25.0


def test_without_labels_every_flip_is_a_loss() -> None:
    assert accuracy_drop(np.array([0, 1, 1, 1]), REFERENCE, None) == 25.0


def test_the_last_bit_does_not_decide() -> None:
    drop = drop_in_points(0.994, 0.992)
    assert drop != 0.2
    assert within(drop, 0.2)
    assert within(0.2 + 0.5 * SLACK, 0.2)
    assert not within(0.2 + 2 * SLACK, 0.2)


@pytest.mark.parametrize("count", [3, 7, 120, 1000])
def test_the_search_and_the_gate_see_the_same_drop(count: int) -> None:
    random = np.random.default_rng(count)
    labels, reference, classes = random.integers(0, 3, (3, count))
    by_shares = drop_in_points(float((reference == labels).mean()), float((classes == labels).mean()))
    assert accuracy_drop(classes, reference, labels) == by_shares
    assert accuracy_drop(classes, reference, None) == drop_in_points(1.0, float((classes == reference).mean()))
