"""Gates of outputs that are compared by their values: of floats by their error, of whole numbers by near ties too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.ledger import Gate
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage


def _gates(stage: str, classes: Any, wanted: Any, **others: Any) -> tuple[Gate, ...]:
    """Judge a stage that answers classes, and perhaps other outputs as the reference does."""
    expected = {"classes": wanted, **others}
    compared = ComparisonSet(
        "x", "given", "", (Batch({"x": wanted}, "arrays", expected),), spreads=dict.fromkeys(expected, 3.0)
    )
    keras = Stage("keras", "x", lambda _: expected, 1, timed=False)
    other = Stage(stage, "x", lambda _: {"classes": classes, **others}, 1, timed=False)
    return prove([keras, other], compared, max_drop=None, kind="tensor", meaning=Meaning("any")).gates


@pytest.mark.parametrize(
    ("stage", "flipped", "passed"),
    [("fp32", 1, True), ("fp32", 2, False), ("fp16", 10, True), ("fp16", 11, False)],
)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_a_few_classes_of_an_argmax_may_flip(stage: str, flipped: int, passed: bool, dtype: str) -> None:
    wanted = np.zeros((1, 100, 100), dtype)
    classes = wanted.copy()
    classes[0, 0, :flipped] = 3
    gate = _gates(stage, classes, wanted)[0]
    assert (gate.name, gate.received, gate.passed) == (
        "values that differ in percent",
        pytest.approx(flipped / 100),
        passed,
    )


def test_each_output_has_a_gate_of_its_own() -> None:
    wanted = np.zeros((1, 100, 100), np.int32)
    classes = wanted.copy()
    classes[0, 0, 0] = 3
    found = _gates("fp32", classes, wanted, scores=np.ones((1, 4), np.float32))
    assert [(gate.name, gate.passed) for gate in found] == [
        ("values that differ in percent of classes", True),
        ("max error over spread of scores", True),
    ]


def test_floats_are_held_by_their_largest_error() -> None:
    wanted = np.zeros((1, 100, 100), np.float32)
    classes = wanted.copy()
    classes[0, 0, 0] = 3
    assert [(gate.name, gate.passed) for gate in _gates("fp32", classes, wanted)] == [("max error over spread", False)]
