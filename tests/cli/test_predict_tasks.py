"""`edgeconv predict` of models that answer something else than one class of many."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.cli.answer_rows import CELLS, cells_of
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


def test_a_table_says_which_of_two_is_the_yes() -> None:
    assert list(cells_of("yes-no", ("cat", "dog"))) == ["label", "probability of dog"]
    assert list(cells_of("yes-no", ())) == ["label", "probability of yes"]
    assert cells_of("tags", ("cat", "dog")) == CELLS["tags"]


def test_how_masks_themselves_are_had_is_said(run: Any, tmp_path: Path, picture: Path) -> None:
    pytest.importorskip("onnx", reason="makes a file")
    from tests.hostile import graph_of, output, write

    answer = np.eye(3, dtype=np.float32)[np.zeros((1, 4, 4), int)]
    path = write(tmp_path / "model.onnx", graph_of(answer, answer.shape), output(kind="tensor", task="mask"))
    assert run("predict", "--model", path, picture).stderr == "`--out DIR` writes the masks themselves.\n"
    assert "--out DIR" not in run("predict", "--model", path, picture, "--out", tmp_path / "out").stderr


def test_an_embedding_goes_into_a_folder(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "embedding")
    result = run("predict", "--model", folder, picture, picture, "--out", tmp_path / "out")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(row["file"]).name for row in rows] == ["a.npy", "a-1.npy"]
    np.testing.assert_allclose(np.load(rows[0]["file"]), rows[0]["vector"], rtol=1e-6)


def test_rows_of_text_need_no_folder(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    result = run("predict", "--model", tiny, picture, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "for the tasks mask, picture, embedding, boxes, and for arrays. Received: the task classes" in result.stderr


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


def test_rows_of_arrays_are_answered_by_the_task(run: Any, tiny: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.stack([np.full((12, 12, 3), (200, 60, 60), np.uint8)] * 2))
    folder = of_task(tiny, tmp_path / "m", "tags")
    result = run("predict", "--model", folder, tmp_path / "x.npy", "--threshold", "0.9")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["row"], row["tags"], row["threshold"]) for row in rows] == [(0, ["red"], 0.9), (1, ["red"], 0.9)]
    table = run("predict", "--model", tiny, tmp_path / "x.npy", "--format", "table").stdout
    assert table.splitlines()[0].split()[:4] == ["path", "row", "label", "probability"]
    csv = run("predict", "--model", tiny, tmp_path / "x.npy", "--format", "csv").stdout
    assert csv.startswith("path,row,label,index,probability,top\n")


def test_bare_arrays_go_to_stdout(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    result = run("predict", "--model", tiny, picture, "--format", "npz")
    with np.load(io.BytesIO(result.stdout_bytes)) as arrays:
        assert {name: arrays[name].shape for name in arrays} == {"probabilities": (1, 3)}
    for more in ([picture], ["--out", tmp_path / "out"]):
        refused = run("predict", "--model", tiny, picture, *more, "--format", "npz")
        assert refused.exit_code == 2
        assert "--format npz writes the arrays of one input to stdout" in refused.stderr


def test_a_model_of_no_task_answers_a_picture_with_arrays(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "any")
    rows = [json.loads(line) for line in run("predict", "--model", folder, tmp_path).stdout.splitlines()]
    assert [(row["path"], np.shape(row["probabilities"])) for row in rows] == [(str(picture), (1, 3))]
    missing = run("predict", "--model", folder, "nowhere.png")
    assert (missing.exit_code, "no such file" in missing.stderr) == (1, True)


def test_the_nearest_pictures_of_a_folder(run: Any, tiny: Path, tmp_path: Path, picture: Path) -> None:
    for name, color in (("near", (190, 70, 60)), ("far", (60, 60, 200))):
        Image.new("RGB", (40, 40), color).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    folder = of_task(tiny, tmp_path / "m", "embedding")
    result = run("predict", "--model", folder, picture, "--nearest", tmp_path)
    (row,) = map(json.loads, result.stdout.splitlines())
    assert [Path(near["path"]).stem for near in row["nearest"]] == ["near", "far"]
    assert 1.0 >= row["nearest"][0]["cosine"] > row["nearest"][1]["cosine"]
    assert "vector" not in row
    assert "Warning: " in result.stderr
    assert "broken.png" in result.stderr
    table = run(
        "predict", "--model", folder, picture, "--nearest", tmp_path, "--top-k", "1", "--format", "table"
    ).stdout
    assert "near.png 0." in table or "near.png 1." in table
    assert "far.png" not in table


@pytest.mark.parametrize(
    ("task", "place", "problem"),
    [
        ("tags", ".", "is for the task embedding. Received: "),
        ("embedding", "empty", "requires pictures. Received: none"),
    ],
)
def test_what_has_no_nearest(
    run: Any, tiny: Path, tmp_path: Path, picture: Path, task: str, place: str, problem: str
) -> None:
    (tmp_path / "empty").mkdir()
    result = run("predict", "--model", of_task(tiny, tmp_path / "m", task), picture, "--nearest", tmp_path / place)
    assert result.exit_code == 2
    assert problem in result.stderr


def test_a_bad_file_of_arrays_takes_no_other_with_it(run: Any, tiny: Path, tmp_path: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "any")
    np.savez(tmp_path / "x.npz", image=np.zeros((2, 12, 12, 3), np.uint8))
    (tmp_path / "damaged.npz").write_text("nothing")
    names = [tmp_path / name for name in ("x.npz", "damaged.npz", "absent.npy", "x.npz")]
    result = run("predict", "--model", folder, *names)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert ["error" in row for row in rows] == [False, True, True, False]
    assert result.stderr.count("Error: ") == 2
    for output_format in ("csv", "table"):
        result = run("predict", "--model", folder, *names, "--format", output_format)
        assert (result.exit_code, len(result.stdout.splitlines())) == (1, 3)
