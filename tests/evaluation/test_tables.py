"""A classifier judged on a table of pictures: by its classes, as on a folder of each class, without Keras at hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

import edgeconv
from edgeconv.errors import InferenceError
from edgeconv.progress import SILENT
from edgeconv.runtime.golden import Samples
from tests.runtime.artifacts import of_task


@pytest.fixture
def table(tiny: Path, tmp_path: Path) -> Path:
    """Return a table of the pictures of the artifact's golden vectors, with their colours."""
    samples = Samples.load(tiny / "samples.npz")
    labels = edgeconv.Predictor(tiny).manifest.labels
    (tmp_path / "images").mkdir()
    for number, image in enumerate(samples.images):
        Image.fromarray(image).save(tmp_path / "images" / f"{number}.png")
    rows = [f"{number}.png,{labels[label]}" for number, label in enumerate(samples.labels)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8")
    return tmp_path / "t.csv"


def _copied(tiny: Path, folder: Path) -> Path:
    shutil.copytree(tiny, folder)
    (folder / "model.keras").unlink(missing_ok=True)
    return folder


def test_int8_may_lose_what_max_drop_allows_and_e2e_is_among_the_stages(
    tiny: Path, table: Path, tmp_path: Path
) -> None:
    ledger = edgeconv.evaluate(_copied(tiny, tmp_path / "m"), dataset=str(table))
    assert [row.stage for row in ledger.rows] == ["fp32", "int8", "e2e"]
    assert [row.accuracy for row in ledger.rows] == [1.0, 1.0, 1.0]
    assert (ledger.passed, ledger.dataset, ledger.split) == (True, "t", "test")
    gates = [(gate.name, gate.limit) for gate in ledger.gates if gate.stage == "int8"]
    assert gates == [("accuracy drop in percentage points", 0.2)]
    assert edgeconv.evaluate(tmp_path / "m", dataset=str(table), images=4).rows[0].count == 4


def test_ways_to_fit_pictures_can_be_tried(tiny: Path, table: Path, tmp_path: Path) -> None:
    said = _said(_copied(tiny, tmp_path / "m"), edgeconv.DatasetSpec(str(table), fit="pad"))
    assert any(line.startswith("Pictures: RGB, with black bars to 12x12") for line in said)


@pytest.mark.train
def test_and_where_keras_answers_are_the_measure(tiny: Path, table: Path, tmp_path: Path) -> None:
    said = _said(of_task(tiny, tmp_path / "v", "any"), _folder(table, fit="pad"))
    assert any(line.startswith("Pictures: RGB, with black bars to 12x12") for line in said)


def _said(artifact: Path, spec: edgeconv.DatasetSpec) -> list[str]:
    said: list[str] = []

    class Listener:
        say = staticmethod(said.append)
        bar = staticmethod(SILENT.bar)

    edgeconv.evaluate(artifact, dataset=spec, progress=Listener())
    return said


def _folder(table: Path, **stated: str) -> edgeconv.DatasetSpec:
    return edgeconv.DatasetSpec(str(table.parent / "images"), **stated)  # type: ignore[arg-type]


def test_more_labels_than_scores_are_an_error_of_one_line(tiny: Path, table: Path, tmp_path: Path) -> None:
    folder = _copied(tiny, tmp_path / "m")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["labels"] = [*manifest["labels"], "grey", "black"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    table.write_text(table.read_text() + "\n0.png,grey")
    with pytest.raises(InferenceError, match=r"`fp32` must answer scores of each class\. Received: 3 scores, .* 3\."):
        edgeconv.evaluate(folder, dataset=str(table))
