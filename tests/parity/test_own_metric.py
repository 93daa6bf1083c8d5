"""A figure of the user's own is what stages are judged by, where it is known what is right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import ConfigError
from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.judging import lost
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.own_metric import OwnMetric
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, on_images

RIGHT = np.arange(8, dtype=np.float32).reshape(8, 1)


def closeness(outputs: Any, targets: Any) -> float:
    return float(10.0 - np.abs(outputs - targets).mean())


def _stage(name: str, off: float) -> Stage:
    return Stage(name, "cpu", lambda feeds: {"y": feeds["x"] + np.float32(off)}, 9, timed=False)


def test_values_are_judged_by_it_alone() -> None:
    batches = tuple(Batch({"x": half}) for half in np.split(RIGHT, 2))
    compared = ComparisonSet("data", "test", "", batches, spreads={"y": 7.0}, right={"y": RIGHT})
    meaning = Meaning("values", metric=OwnMetric("own:closeness", closeness))
    stages = [_stage("keras", 0.0), _stage("int8", 0.5)]
    ledger = prove(stages, compared, max_drop=None, kind="tensor", meaning=meaning)
    assert [row.metrics for row in ledger.rows] == [{"own:closeness": 10.0}, {"own:closeness": 9.5}]
    (gate,) = ledger.gates
    assert (gate.name, gate.limit, gate.received) == ("own:closeness, loss in percent", 1.0, pytest.approx(5.0))
    answers = [tuple(stage.run(batch.feeds) for batch in batches) for stage in stages]
    assert lost(answers[1], answers[0], compared, meaning).percent == pytest.approx(5.0)


def test_classes_are_judged_by_it_too() -> None:
    scores = np.eye(4, dtype=np.float32)[[0, 1, 2, 3] * 5]
    compared = ComparisonSet.of_images(scores, np.array([0, 1, 2, 3] * 5), dataset="data", split="test")

    def sureness(outputs: Any, targets: Any) -> float:
        return float(outputs[np.arange(len(targets)), targets].mean())

    meaning = Meaning(metric=OwnMetric("own:sureness", sureness))
    stages = [
        Stage(name, "cpu", on_images(lambda x, by=by: x * by), 9, timed=False)
        for name, by in (("keras", 1), ("int8", 0.9))
    ]
    ledger = prove(stages, compared, max_drop=None, kind="probabilities", meaning=meaning)
    assert [(gate.name, gate.passed) for gate in ledger.gates] == [
        ("accuracy drop in percentage points", True),
        ("own:sureness, loss in percent", False),
    ]
    answers = [({"scores": scores * by},) for by in (1.0, 0.9)]
    assert not lost(answers[1], answers[0], compared, meaning).holds(0.2)


@pytest.mark.parametrize(
    ("body", "problem"),
    [("return 1 / 0", "ZeroDivisionError"), ("return float('nan')", "Received: nan of"), ("return 'x'", "ValueError")],
)
def test_what_is_no_number_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, problem: str) -> None:
    name = f"metric_{len(body)}"
    (tmp_path / f"{name}.py").write_text(f"def figure(outputs, targets):\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    metric = OwnMetric.named(f"{name}:figure")
    assert metric is not None
    with pytest.raises(ConfigError, match=problem):
        metric.of({"y": RIGHT}, {"y": RIGHT})
    assert OwnMetric.named(None) is None
