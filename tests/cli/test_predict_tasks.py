"""`edgeconv predict` of models that answer something else than one class of many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.runtime.artifacts import of_task


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("RGB", (50, 40), (200, 60, 60)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_tags_in_each_format(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "tags")
    row = json.loads(run("predict", "--model", folder, picture).stdout)
    assert set(row) == {"path", "tags", "scores", "threshold"}
    assert row["tags"] == ["red"]
    table = run("predict", "--model", folder, picture, "--format", "table").stdout
    assert table.splitlines()[0].split() == ["path", "tags", "others"]
    csv = run("predict", "--model", folder, picture, "--format", "csv", "--threshold", "0").stdout.splitlines()
    assert csv[0] == "path,tags,scores,threshold"
    assert '[""red"", ""' in csv[1]


def test_an_embedding_goes_into_a_folder(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "embedding")
    result = run("predict", "--model", folder, picture, picture, "--out", tmp_path / "out")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["a.npy", "a-1.npy"]
    np.testing.assert_allclose(np.load(rows[0]["file"]), rows[0]["vector"], rtol=1e-6)


def test_rows_of_text_need_no_folder(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    result = run("predict", "--model", tiny, picture, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "is for the tasks mask, picture, embedding, and for arrays. Received: the task classes" in result.stderr


def test_arrays_in_and_arrays_out(run: Any, tiny: Path, tmp_path: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "any")
    images = np.zeros((2, 12, 12, 3), np.uint8)
    np.savez(tmp_path / "x.npz", image=images)
    result = run("predict", "--model", folder, tmp_path / "x.npz", "--out", tmp_path / "out")
    row = json.loads(result.stdout)
    assert row["file"] == str(tmp_path / "out" / "x.npz")
    with np.load(row["file"]) as saved:
        np.testing.assert_allclose(saved["probabilities"], row["probabilities"], rtol=1e-6)
    table = run("predict", "--model", folder, tmp_path / "x.npz", "--format", "table").stdout
    assert "float32 (2, 3)" in table
    csv = run("predict", "--model", folder, tmp_path / "x.npz", "--format", "csv").stdout
    assert csv.startswith("path,probabilities\n")
