"""How well answers fit what is known to be right, by task, and what a stage may lose of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.dense_metrics import MOST_DB, VOID
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.metric_losses import Figures, metrics_lost
from edgeconv.parity.metrics import METRICS
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage

TAGS = [[0.9, 0.2, 0.1], [0.8, 0.7, 0.1]]
MASKS = np.eye(3)[[[[0, 1], [1, 1]]]]


def _measured(task: str, answers: Any, right: Any, **meaning: Any) -> dict[str, float]:
    return Figures.of(({"out": np.array(answers)},), _known(right), Meaning(task, **meaning)).whole


def _known(right: Any, given: Any = None, **more: Any) -> ComparisonSet:
    """Return what is right of one output, beside inputs that matter only to anomalies."""
    array = np.array(right)
    feeds = {"x": np.zeros((len(array), 1)) if given is None else np.array(given)}
    return ComparisonSet("mine", "test", "0", (Batch(feeds),), spreads={"out": 1.0}, right={"out": array}, **more)


@pytest.mark.parametrize(
    ("task", "answers", "right", "expected"),
    [
        ("classes", [[0.1, 0.9], [0.6, 0.4]], [1, 1], {"accuracy": 0.5}),
        # Of three pairs of a yes and a no, two have the higher score on the yes.
        ("yes-no", [[0.9], [0.4], [0.2], [0.7]], [1, 0, 1, 1], {"accuracy": 0.75, "AUC": 2 / 3}),
        # cat: 1 hit, 1 too many; dog: 1 hit; the third is nowhere, and no part of the mean.
        ("tags", TAGS, [[1, 0, 0], [0, 1, 0]], {"micro F1": 0.8, "macro F1": (2 / 3 + 1) / 2, "macro AUC": 1.0}),
        ("values", [[1.0, 2.0]], [[1.0, 4.0]], {"RMSE": np.sqrt(2.0)}),
        # class 0: 1 of 1; class 1: 2 of 3; class 2: 0 of 1.
        ("mask", MASKS, [[[0, 1], [1, 2]]], {"mIoU": (1 + 2 / 3 + 0) / 3}),
        ("mask", MASKS, [[[0, 1], [1, VOID]]], {"mIoU": 1.0}),
        ("mask", [[[[0.7], [0.1]]]], [[[1, 1]]], {"mIoU": (0 + 1 / 2) / 2}),
        ("picture", np.full((1, 2, 2, 1), 0.1), np.zeros((1, 2, 2, 1)), {"PSNR": 20.0, "SSIM": 1e-4 / (0.01 + 1e-4)}),
        ("picture", np.zeros((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)), {"PSNR": MOST_DB, "SSIM": 1.0}),
        ("embedding", [[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [2.0, 0.0]], {"cosine": (1 + 0.5**0.5) / 2}),
    ],
)
def test_each_task_has_its_metrics(task: str, answers: Any, right: Any, expected: dict[str, float]) -> None:
    found = _measured(task, answers, right, **({"value_range": (0.0, 1.0)} if task == "picture" else {}))
    assert found == pytest.approx(expected)
    assert tuple(found) == tuple(metric.name for metric in METRICS.get(task, ()))


def test_answers_before_a_sigmoid_and_another_threshold() -> None:
    logits, right = [[-0.5], [0.2], [2.0]], [0, 0, 1]
    assert _measured("yes-no", logits, right, pending="sigmoid") == pytest.approx({"accuracy": 2 / 3, "AUC": 1.0})
    assert _measured("yes-no", logits, right, pending="sigmoid", threshold=0.8) == {"accuracy": 1.0, "AUC": 1.0}


def test_each_output_of_several_has_its_own() -> None:
    answers = {"a": np.array([1.0]), "b": np.array([3.0])}
    known = ComparisonSet("", "", "", (Batch({"x": np.zeros(1)}),), spreads={}, right={"b": np.array([1.0])})
    assert Figures.of((answers,), known, Meaning()).whole == {"RMSE of b": 2.0}
    meaning = Meaning(outputs={"kind": Meaning("classes")})
    stages = [
        Stage(name, "x", lambda feeds, sure=sure: {"kind": feeds["x"] * sure, "size": feeds["x"]}, 1, timed=False)
        for name, sure in (("keras", 1.0), ("fp32", -1.0))
    ]
    right = {"kind": np.array([1, 0]), "size": np.eye(2)}
    spreads = {"kind": 1.0, "size": 1.0}
    compared = ComparisonSet("mine", "test", "0", (Batch({"x": np.eye(2)[::-1]}),), spreads=spreads, right=right)
    ledger = prove(stages, compared, max_drop=5.0, kind="tensor", meaning=meaning)
    assert {name: round(value, 3) for name, value in ledger.rows[0].metrics.items()} == {
        "accuracy of kind": 1.0,
        "RMSE of size": 1.0,
    }
    assert [(gate.name, gate.received, gate.passed) for gate in ledger.gates] == [
        ("max error over spread of kind", 2.0, False),
        ("max error over spread of size", 0.0, True),
        ("flips of kind", 2.0, False),
        ("accuracy of kind, loss in percent", 100.0, False),
        ("RMSE of size, loss in percent", 0.0, True),
    ]
    assert ledger.rows[1].outputs["size"].sqnr_db is None
    assert Ledger.from_dict(json.loads(json.dumps(ledger.as_dict()))) == ledger
    assert ledger.in_spreads


@pytest.mark.parametrize(
    ("task", "right", "lost"),
    [
        ("values", [[0.9]], 11.11),
        ("picture", [[0.9]], 11.11),
        ("yes-no", [1], 0.0),
        ("values", [[0.0]], 9900.0),  # The reference is right, and an error of a thousandth of the spread is nothing.
        ("picture", [[0.0]], 9900.0),
    ],
)
def test_what_a_stage_loses_is_held_beside_the_error(task: str, right: Any, lost: float) -> None:
    """The reference answers 0, the stage -0.1."""
    zero, stage = (
        Stage(name, "x", lambda feeds, error=error: {"out": feeds["x"] + error}, 1, timed=False)
        for name, error in (("keras", 0.0), ("fp32", -0.1))
    )
    compared = ComparisonSet(
        "mine", "test", "0", (Batch({"x": np.zeros((1, 1))}),), spreads={"out": 1.0}, right={"out": np.array(right)}
    )
    ledger = prove([zero, stage], compared, max_drop=5.0, kind="tensor", meaning=Meaning(task, value_range=(0.0, 1.0)))
    metric, *_ = METRICS[task]
    gate = next(gate for gate in ledger.gates if gate.name == f"{metric.name}, loss in percent")
    assert (gate.received, gate.limit) == (pytest.approx(lost, abs=0.01), 5.0)
    assert gate.passed == (lost <= 5.0)
    assert set(ledger.rows[0].metrics) == {metric.name for metric in METRICS[task]}


def test_anomalies_are_what_comes_back_with_a_larger_error() -> None:
    given = np.array([[0.0, 1.0], [1.0, 1.0], [0.5, 0.5], [3.0, 3.0]])
    back = given + np.array([[0.1], [0.2], [0.15], [2.0]])
    right = np.array([False, True, False, True])
    assert Figures.of(({"out": back},), _known(right, given), Meaning("values")).whole == {"anomaly AUC": 1.0}
    pixels = np.array([[0, 255], [255, 0]], np.uint8)
    known, meaning = _known([False, True], pixels), Meaning("picture", value_range=(0.0, 1.0))
    answers = ({"out": np.array([[0.0, 1.0], [0.5, 0.0]])},)
    assert Figures.of(answers, known, meaning).whole == {"anomaly AUC": 1.0}


def test_a_loss_of_few_samples_is_one_only_where_they_can_tell() -> None:
    rng = np.random.default_rng(0)
    right = rng.normal(size=(200, 1))
    noise = rng.normal(scale=0.1, size=right.shape)
    wanted, meaning = ({"out": right + noise},), Meaning("values")
    for worse, holds in ((rng.normal(scale=0.02, size=right.shape), True), (noise, False)):
        compared = _known(right)
        ours, theirs = (Figures.of(each, compared, meaning) for each in (({"out": right + noise + worse},), wanted))
        lost = metrics_lost(ours, theirs, compared, meaning, "int8")["RMSE"]
        assert lost.low < lost.percent < lost.high
        assert lost.percent > 1.0
        assert lost.holds(1.0) == holds
        exact = metrics_lost(ours, theirs, compared, meaning, "fp32")["RMSE"]
        assert exact.low == exact.percent, "what computes as the reference does has no such excuse"


def test_a_yes_or_no_of_pictures_has_its_area_beside_its_accuracy() -> None:
    yes = np.array([0.9, 0.4, 0.2, 0.7, 0.1] * 20, np.float32)[:, None]
    compared = ComparisonSet.of_images(yes, np.array([1, 0, 1, 1, 0] * 20), dataset="data", split="test")
    stages = [
        Stage(name, "cpu", lambda feeds, by=by: {"out": by + (1 - 2 * by) * next(iter(feeds.values()))}, 9, timed=False)
        for name, by in (("keras", 0.0), ("int8", 1.0))
    ]
    ledger = prove(stages, compared, max_drop=None, kind="tensor", meaning=Meaning("yes-no"))
    assert [row.metrics for row in ledger.rows] == [{"AUC": pytest.approx(5 / 6)}, {"AUC": pytest.approx(1 / 6)}]
    assert [(gate.name, gate.passed) for gate in ledger.gates][-1] == ("AUC, loss in percent", False)
