from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from edgeconv.errors import ArtifactError
from edgeconv.parity.classes import compare_classes, judge_classes
from edgeconv.parity.intervals import wilson
from edgeconv.parity.ledger import Flip, Ledger, Row
from edgeconv.parity.stage import Stage, on_images
from edgeconv.variants import FP32_MAX_DP

REFERENCE = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], np.float32)
LABELS = np.array([0, 1, 1, 1])


def _row(stage: str, answers: np.ndarray, labels: np.ndarray | None = LABELS) -> Row:
    file = Stage(stage, "CPUExecutionProvider", on_images(np.asarray), 10)
    return compare_classes(file, answers, REFERENCE, labels, p50_latency_ms=0.1)


def test_figures_by_hand() -> None:
    answers = REFERENCE.copy()
    answers[2] = [0.4, 0.6]
    row = _row("int8", answers)
    assert row.accuracy == 1.0
    assert row.agreement == 0.75
    assert row.flips == (Flip(index=2, label=1, reference=0, answer=1),)
    assert row.max_abs_dp == pytest.approx(0.2)
    assert row.mean_abs_dp == pytest.approx(0.4 / 8)
    power = float(np.square(REFERENCE).sum())
    assert row.sqnr_db == pytest.approx(10 * np.log10(power / 0.08), abs=1e-4)
    assert row.confusion == ((1, 0), (0, 3))
    assert _row("keras", REFERENCE).confusion == ((1, 0), (1, 2))


def test_equal_answers_have_no_noise() -> None:
    row = _row("fp32", REFERENCE)
    assert (row.sqnr_db, row.max_abs_dp, row.flips) == (None, 0.0, ())


def test_without_labels_there_is_no_accuracy() -> None:
    row = _row("int8", REFERENCE[:, ::-1].copy(), None)
    assert (row.accuracy, row.accuracy_low, row.confusion, row.agreement) == (None, None, (), 0.0)
    assert row.flips[0].label == -1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_no_numbers_fail_every_gate_and_stay_json(bad: float) -> None:
    answers = REFERENCE.copy()
    answers[0, 0] = bad
    row = _row("fp32", answers)
    gates = judge_classes((_row("keras", REFERENCE), row), max_drop=0.2)
    assert not gates[1].passed
    json.dumps(row.as_dict(), allow_nan=False)


@pytest.mark.parametrize(("shift", "passed"), [(0.9 * FP32_MAX_DP, True), (1.1 * FP32_MAX_DP, False)])
def test_fp32_may_differ_by_rounding_only(shift: float, passed: bool) -> None:
    gates = judge_classes((_row("keras", REFERENCE), _row("fp32", REFERENCE + np.float32(shift))), max_drop=0.2)
    assert [gate.passed for gate in gates] == [True, passed]


def test_fp32_may_not_flip_anything_even_to_the_right_answer() -> None:
    better = REFERENCE.copy()
    better[2] = [0.4999, 0.5001]
    gates = judge_classes((_row("keras", REFERENCE), _row("fp32", better)), max_drop=0.2)
    assert not gates[0].passed


@pytest.mark.parametrize(
    ("max_drop", "low", "passed"), [(24.9, 24.95, False), (25.0, 24.95, True), (24.9, 24.8, True), (0.0, -1.0, False)]
)
def test_int8_may_lose_what_is_allowed_and_what_the_images_cannot_tell(
    max_drop: float, low: float, passed: bool
) -> None:
    worse = REFERENCE.copy()
    worse[0] = [0.4, 0.6]
    rows = (_row("keras", REFERENCE), replace(_row("int8", worse), drop_low=low))
    ledger = Ledger("data", "test", "sha", rows, judge_classes(rows, max_drop=max_drop))
    assert ledger.passed is passed
    assert (f"accuracy drop in percentage points: at most {max_drop:g}, got 25" in ledger.failures()) is not passed


def test_int8_that_is_better_than_keras_passes() -> None:
    better = REFERENCE.copy()
    better[2] = [0.4, 0.6]
    assert judge_classes((_row("keras", REFERENCE), _row("int8", better)), max_drop=0.0)[0].passed


def test_without_labels_keras_is_the_truth() -> None:
    turned = REFERENCE[:, ::-1].copy()
    (gate,) = judge_classes((_row("keras", REFERENCE, None), _row("int8", turned, None)), max_drop=0.2)
    assert not gate.passed
    assert gate.received == 100.0


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_as_published(right: int, count: int, low: float, high: float) -> None:
    assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)


def test_the_ledger_is_json() -> None:
    rows = (_row("keras", REFERENCE), _row("fp32", REFERENCE))
    ledger = Ledger("data", "test", "sha", rows, judge_classes(rows, max_drop=0.2))
    value = json.loads(json.dumps(ledger.as_dict(), allow_nan=False))
    assert value["passed"] is True
    assert value["rows"][1]["stage"] == "fp32"
    assert ledger.row("fp32") is rows[1]
    assert ledger.row("int8") is None
    assert Ledger.from_dict(value) == ledger


def test_what_is_no_ledger_is_refused() -> None:
    with pytest.raises(ArtifactError, match=r"^`parity\.json` must hold a parity ledger\. Received: KeyError: 'rows'"):
        Ledger.from_dict({"dataset": "d", "split": "test", "sha256": ""}, "parity.json")
