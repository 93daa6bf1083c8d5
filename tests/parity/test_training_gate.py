"""Quantization-aware training is held against the float model that it began with."""

from __future__ import annotations

import pytest

from edgeconv.parity.ledger import Ledger, Row
from edgeconv.parity.stage import FAKE_QUANTIZED
from edgeconv.parity.training_gate import training_gate


def _ledger(stage: str, accuracy: float | None, count: int = 10_000) -> Ledger:
    row = Row(stage, "tensorflow", count, accuracy, None, None, 1.0, (), 0.0, 0.0, None, 0, None, ())
    return Ledger("mnist", "test", "", (row,), ())


@pytest.mark.parametrize(
    ("accuracy", "count", "passes"),
    [(0.721, 10_000, False), (0.9699, 10_000, True), (0.98, 10_000, True), (0.721, 20, False), (0.9, 20, True)],
    ids=["badly trained", "no less", "better", "badly, on few", "what few images cannot tell"],
)
def test_a_model_that_the_training_spoilt_fails(accuracy: float, count: int, passes: bool) -> None:
    gate = training_gate(_ledger(FAKE_QUANTIZED, accuracy, count), 0.97, 0.2)
    assert gate is not None
    assert gate.passed == passes
    assert gate.low is not None
    assert gate.high is not None
    assert gate.low < gate.received < gate.high


@pytest.mark.parametrize(("stage", "accuracy"), [("int8", 0.5), (FAKE_QUANTIZED, None)])
def test_without_labels_or_such_a_training_there_is_no_gate(stage: str, accuracy: float | None) -> None:
    assert training_gate(_ledger(stage, accuracy), 0.97, 0.2) is None
