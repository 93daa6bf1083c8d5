"""The ledger of an artifact whose outputs are no classes of pictures, without Keras at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeconv
from edgeconv.errors import ConfigError
from edgeconv.progress import SILENT
from edgeconv.runtime.golden import Samples
from tests.runtime.artifacts import of_task


def _without_keras(tiny: Path, folder: Path, task: str, **output: Any) -> Path:
    made = of_task(tiny, folder, task, **output)
    (made / "model.keras").unlink(missing_ok=True)
    return made


def test_golden_vectors_stand_for_keras(tiny: Path, tmp_path: Path) -> None:
    folder = _without_keras(tiny, tmp_path / "m", "tags")
    said: list[str] = []
    ledger = edgeconv.evaluate(folder, progress=_Listener(said))
    assert [row.stage for row in ledger.rows][:2] == ["keras", "fp32"]
    assert (ledger.dataset, ledger.split) == ("golden vectors", "golden")
    assert ledger.rows[1].count == len(Samples.load(folder / "samples.npz").images)
    assert ledger.rows[1].max_abs_dp < 1e-5
    assert {gate.name for gate in ledger.gates} == {"max error over spread", "flips"}
    assert "the reference is what it answered at the export." in " ".join(said)
    assert "e2e is left out: it takes pictures of any size." in said


def test_what_is_right_gives_metrics_and_their_gates(tiny: Path, tmp_path: Path) -> None:
    """The three scores of colours are taken for values: fp32 is the reference, and RMSE is that of its own answers."""
    folder = _without_keras(tiny, tmp_path / "m", "values")
    samples = Samples.load(folder / "samples.npz")
    right = samples.probabilities + np.float32(0.25)
    np.savez(tmp_path / "x.npz", image=samples.images, y=right)
    ledger = edgeconv.evaluate(folder, dataset=str(tmp_path / "x.npz"), images=8)
    assert ledger.rows[0].stage == "fp32"
    assert ledger.rows[0].metrics["RMSE"] == pytest.approx(0.25, abs=1e-4)
    assert (ledger.rows[0].count, ledger.split) == (8, "test")
    assert [row.stage for row in ledger.rows][-1] == "e2e"  # with int8 inside, on pictures that show these images
    assert (ledger.rows[-1].count, ledger.rows[-1].metrics) == (8, {})
    assert {gate.name for gate in ledger.gates if gate.stage == "int8"} == {
        "max error over spread",
        "RMSE, loss in percent",
    }


def test_a_model_without_golden_vectors_asks_for_examples(tiny: Path, tmp_path: Path) -> None:
    folder = _without_keras(tiny, tmp_path / "m", "any")
    with pytest.raises(ConfigError, match=r"`evaluate` requires examples\. Received: none.*`--dataset`: an \.npz"):
        edgeconv.evaluate(_bare(folder))
    with pytest.raises(ConfigError, match=r"`emulate` and `loader` are for classes\. Received: .* of the task any"):
        edgeconv.evaluate(folder, emulate=["pi4"])


def _bare(folder: Path) -> Path:
    (folder / "samples.npz").unlink()
    return folder


class _Listener:
    def __init__(self, said: list[str]) -> None:
        self.say = said.append
        self.bar = SILENT.bar
