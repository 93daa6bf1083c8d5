"""Which model a name stands for, and the name of what becomes of it. No framework is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeconv.artifact import sha256_of
from edgeconv.conversion.steps.source import find_source
from edgeconv.errors import ArtifactError
from edgeconv.progress import SILENT


@pytest.mark.parametrize(
    ("path", "name"),
    [("m.h5", "m"), ("net/model.keras", "net"), ("kws/saved_model.pb", "kws"), ("served/3/saved_model.pb", "served")],
)
def test_an_artifact_is_named_after_its_model(path: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    source = find_source(file.parent if file.suffix == ".pb" else file, SILENT)
    assert source.name == name


def test_the_present_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kws").mkdir()
    (tmp_path / "kws" / "saved_model.pb").touch()
    monkeypatch.chdir(tmp_path / "kws")
    assert find_source(".", SILENT).name == "kws"


def test_one_of_the_versions_in_a_folder_is_named(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / "served" / version).mkdir(parents=True)
        (tmp_path / "served" / version / "saved_model.pb").touch()
    with pytest.raises(ArtifactError, match=r"a folder of SavedModels, 1, 2\. Name one, such as `.*served/2`\."):
        find_source(tmp_path / "served", SILENT)
    with pytest.raises(ArtifactError, match=r"model\.keras` must be a \.keras file\. Received: no such file"):
        find_source(tmp_path, SILENT)


@pytest.mark.parametrize(
    ("record", "required"),
    [
        ({}, "the key `dataset`"),
        ({"dataset": {"name": "mnist"}}, "the key `sha256` at `dataset`"),
        ({"dataset": {"name": 3}}, "text at `dataset.name`"),
    ],
)
def test_a_damaged_record_of_the_training_is_named(tmp_path: Path, record: dict[str, object], required: str) -> None:
    model = tmp_path / "model.keras"
    model.touch()
    (tmp_path / "training.json").write_text(json.dumps({"model": {"sha256": sha256_of(model)}, **record}))
    with pytest.raises(ArtifactError, match=f"training.json` requires {required}"):
        find_source(tmp_path, SILENT)


def test_a_record_of_no_model_is_that_of_another(tmp_path: Path) -> None:
    (tmp_path / "model.keras").touch()
    (tmp_path / "training.json").write_text('{"model": "x"}')
    assert find_source(tmp_path, SILENT).training is None
