"""The ledger of an artifact whose outputs are no classes of pictures, without Keras at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeconv
from edgeconv.errors import ConfigError, DatasetError, EdgeconvError, ManifestError
from edgeconv.parity import examples
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
    assert ledger.rows[-1].stage == "e2e"
    assert ledger.rows[-1].count == ledger.rows[1].count
    gates = {gate.stage: [own.name for own in ledger.gates if own.stage == gate.stage] for gate in ledger.gates}
    lost = "F1 of the tags, lost in percent"
    assert gates == {
        "fp32": ["max error over spread", "flips"],
        "int8": [lost],
        "e2e": ["grey levels of the preparation", lost],
    }
    assert "the reference is what it answered at the export." in " ".join(said)
    assert "e2e is compared with fp32: Keras' answers to pictures are not known." in said


GOLDEN = {
    "narrow": ({"probabilities": lambda a: a[:, :2]}, r"`fp32` must answer `prob.* \(16, 2\), as the ref.*: \(16, 3\)"),
    "fewer": (
        {"probabilities": lambda a: a[:3]},
        r"golden vectors, as many of each.*images \(16, 12, 12, 3\)",
    ),
    "none": (
        {"images": lambda a: a[:0]},
        r"must hold golden vectors, as many .* Received: images \(0, 12",
    ),
    "one number": ({"labels": lambda a: a.sum()}, r"must hold golden vectors, as many of each array.*labels \(\)"),
    "small": ({"images": lambda a: a[:, :2]}, r"The model must run on arrays of image\. Received: .* dimensions"),
    "float": ({"images": lambda a: a / 255}, r"The model must run on arrays of image\. Received: .*data type"),
}


@pytest.mark.parametrize("wrong", GOLDEN)
def test_golden_vectors_that_are_none_are_an_error_of_one_line(tiny: Path, tmp_path: Path, wrong: str) -> None:
    changes, problem = GOLDEN[wrong]
    folder = _without_keras(tiny, tmp_path / "m", "values")
    arrays = dict(np.load(folder / "samples.npz"))
    np.savez(folder / "samples.npz", **{name: changes.get(name, np.asarray)(array) for name, array in arrays.items()})
    with pytest.raises(EdgeconvError, match=problem) as caught:
        edgeconv.evaluate(folder)
    assert "\n" not in str(caught.value)


def test_golden_vectors_of_large_pictures_come_in_several_batches(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "images_at_once", lambda _: 5)
    ledger = edgeconv.evaluate(_without_keras(tiny, tmp_path / "m", "values"))
    assert ledger.rows[1].max_abs_dp < 1e-5


def test_what_a_contract_lacks_is_an_error_of_one_line(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"requires the key `boxes` of the task boxes"):
        edgeconv.evaluate(_without_keras(tiny, tmp_path / "boxes", "boxes"))
    folder = _without_keras(tiny, tmp_path / "mask", "mask")
    samples = Samples.load(folder / "samples.npz")
    np.savez(tmp_path / "x.npz", image=samples.images, y=np.zeros((len(samples.images), 12, 12), np.uint8))
    with pytest.raises(DatasetError, match=r"must be of a model that answers \(batch, height, width, classes\)"):
        edgeconv.evaluate(folder, dataset=str(tmp_path / "x.npz"))


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
    assert {gate.name for gate in ledger.gates if gate.stage == "int8"} == {"RMSE, loss in percent"}


def test_a_model_without_golden_vectors_asks_for_examples(tiny: Path, tmp_path: Path) -> None:
    folder = _without_keras(tiny, tmp_path / "m", "any")
    with pytest.raises(ConfigError, match=r"`evaluate` requires examples\. Received: none.*`--dataset`: an \.npz"):
        edgeconv.evaluate(_bare(folder))
    with pytest.raises(ConfigError, match=r"`bundle` and `loader` are for classes\. Received: .* of the task any"):
        edgeconv.evaluate(folder, bundles=["app"])


def _bare(folder: Path) -> Path:
    (folder / "samples.npz").unlink()
    return folder


class _Listener:
    def __init__(self, said: list[str]) -> None:
        self.say = said.append
        self.bar = SILENT.bar
