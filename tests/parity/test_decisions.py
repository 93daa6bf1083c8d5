"""Gates of what outputs decide, beside their error over the spread."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.parity.decisions import judge_task


def _judged(task: str, given: object, wanted: object, pending: str | None = None) -> tuple[str, float, bool]:
    answers, reference = ({"out": np.array(given, np.float32)},), ({"out": np.array(wanted, np.float32)},)
    (gate,) = judge_task(task, "fp32", answers, reference, pending=pending)
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


@pytest.mark.parametrize("task", ["values", "picture", "any"])
def test_numbers_have_no_decisions(task: str) -> None:
    assert judge_task(task, "fp32", ({"out": np.ones((1, 2))},), ({"out": np.ones((1, 2))},), pending=None) == ()
