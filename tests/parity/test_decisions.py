"""Gates of what outputs decide, beside their error over the spread."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.decisions import judge_task, lost_neighbours
from edgeconv.parity.dense_metrics import MOST_DB
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.meaning import Meaning
from edgeconv.variants import FP32_TOLERANCE


def _judged(task: str, given: object, wanted: object, pending: str | None = None) -> tuple[str, float, bool]:
    answers, reference = ({"out": np.array(given, np.float32)},), ({"out": np.array(wanted, np.float32)},)
    (gate,) = judge_task(Meaning(task, pending), "fp32", answers, reference)
    return gate.name, gate.received, gate.passed


def test_each_tag_that_flips_is_counted() -> None:
    assert _judged("tags", [[0.6, 0.4], [0.2, 0.51]], [[0.7, 0.3], [0.6, 0.49]]) == ("flips", 2.0, False)
    assert _judged("yes-no", [[0.6]], [[0.9]]) == ("flips", 0.0, True)


def test_before_a_sigmoid_the_threshold_is_zero() -> None:
    assert _judged("tags", [[0.1]], [[0.6]], "sigmoid") == ("flips", 0.0, True)
    assert _judged("tags", [[-0.1]], [[0.6]], "sigmoid") == ("flips", 1.0, False)


def test_a_mask_is_held_by_its_pixels() -> None:
    wanted = np.zeros((1, 100, 100, 3))
    wanted[..., 1] = 1.0
    given = wanted.copy()
    given[0, 0, 0] = [2.0, 1.0, 0.0]
    assert _judged("mask", given, wanted) == ("pixels that flip in percent", pytest.approx(0.01), True)
    given[0, 0, 1] = [2.0, 1.0, 0.0]
    assert _judged("mask", given, wanted)[1:] == (pytest.approx(0.02), False)
    assert _judged("mask", [[[[0.6]], [[0.4]]]], [[[[0.6]], [[0.6]]]])[1:] == (50.0, False)


def test_an_embedding_is_held_by_its_direction() -> None:
    assert _judged("embedding", [[2.0, 0.0]], [[1.0, 0.0]]) == ("cosine distance", 0.0, True)
    name, received, passed = _judged("embedding", [[1.0, 0.1]], [[1.0, 0.0]])
    assert (name, passed) == ("cosine distance", False)
    assert received == pytest.approx(1.0 - 1.0 / np.sqrt(1.01))


@pytest.mark.parametrize("task", ["values", "any"])
def test_numbers_have_no_decisions(task: str) -> None:
    assert judge_task(Meaning(task), "fp32", ({"out": np.ones((1, 2))},), ({"out": np.ones((1, 2))},)) == ()


def test_which_tags_flip_is_said() -> None:
    meaning = Meaning("tags", labels=("cat", "dog"))
    given, wanted = (
        {"out": np.array(rows, np.float32)} for rows in ([[0.6, 0.4], [0.2, 0.6]], [[0.6, 0.6], [0.2, 0.4]])
    )
    (gate,) = judge_task(meaning, "fp32", (given,), (wanted,))
    assert (gate.received, gate.reason.partition(";")[0]) == (2.0, "dog 2")


def test_classes_of_arrays_are_held_by_their_flips() -> None:
    assert _judged("classes", [[0.6, 0.4], [0.2, 0.8]], [[0.6, 0.4], [0.7, 0.3]]) == ("flips", 1.0, False)


def test_a_picture_is_held_by_its_noise() -> None:
    """An error of a tenth of the tolerance is 20 dB below one of the whole."""
    wanted = np.linspace(0.0, 1.0, 48).reshape(1, 4, 4, 3)
    limit = 20.0 * np.log10(1.0 / FP32_TOLERANCE)
    assert _judged("picture", wanted + 0.1 * FP32_TOLERANCE, wanted)[1:] == (pytest.approx(limit + 20.0, abs=0.1), True)
    assert _judged("picture", wanted + 2.0 * FP32_TOLERANCE, wanted)[2] is False
    assert _judged("picture", wanted, wanted)[1:] == (MOST_DB, True)
    (gate,) = judge_task(Meaning("picture"), "fp32", ({"out": wanted + 0.5},), ({"out": wanted},))
    ledger = Ledger("x", "given", "0", (), (gate,))
    assert "fp32 PSNR beside Keras in dB: at least" in ledger.failures()
    assert Ledger.from_dict(ledger.as_dict()) == ledger


def test_neighbours_are_kept_unless_others_are_as_near() -> None:
    circle = np.array([[np.cos(angle), np.sin(angle)] for angle in np.linspace(0.0, 3.0, 12)])
    assert lost_neighbours(circle, circle, slack=0.0) == 0.0
    assert lost_neighbours(circle[::-1], circle, slack=0.0) == 0.0  # As near on the other side.
    shuffled = circle[np.random.default_rng(0).permutation(12)]
    assert lost_neighbours(shuffled, circle, slack=0.0) > 0.3
    answers, reference = ({"out": shuffled},), ({"out": circle},)
    gates = judge_task(Meaning("embedding"), "fp32", answers, reference)
    assert [(gate.name, gate.passed) for gate in gates] == [
        ("cosine distance", False),
        ("neighbours lost in percent", False),
    ]
