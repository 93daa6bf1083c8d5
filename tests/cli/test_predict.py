"""`edgeconv predict` on real files, with the artifact of three colours."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError

COLORS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder with a picture of each colour, each of another type, one in a subfolder, two that nobody sees."""
    folder = tmp_path / "pictures"
    for place in ("deep", "__MACOSX"):
        (folder / place).mkdir(parents=True)
    shown = {"a.png": "red", "b.jpg": "green", "deep/c.webp": "blue"}
    for name, color in {**shown, ".hidden.png": "red", "__MACOSX/a.png": "red"}.items():
        Image.new("RGB", (50, 40), COLORS[color]).save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


def _rows(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_row_has_what_the_contract_says(run: Any, tiny: Path, pictures: Path) -> None:
    result = run("predict", "--model", tiny, pictures / "a.png")
    assert result.exit_code == 0
    (row,) = _rows(result.stdout)
    assert set(row) == {"path", "label", "index", "probability", "top"}
    assert (row["path"], row["label"], row["index"]) == (str(pictures / "a.png"), "red", 0)
    assert row["top"][0]["label"] == "red"
    assert len(row["top"]) == 3


def test_a_photograph_of_a_phone_in_a_folder_is_told_and_not_passed_over(run: Any, tiny: Path, pictures: Path) -> None:
    (pictures / "deep" / "IMG_1.HEIC").write_bytes(b"\0\0\0 ftypheic")
    result = run("predict", "--model", tiny, pictures)
    assert result.exit_code == 1
    assert [Path(row["path"]).name for row in _rows(result.stdout) if "error" in row] == ["IMG_1.HEIC"]
    assert len(_rows(result.stdout)) == 4


def test_folders_globs_and_files_in_order(run: Any, tiny: Path, pictures: Path) -> None:
    whole = _rows(run("predict", "--model", tiny, pictures).stdout)
    assert [(Path(row["path"]).name, row["label"]) for row in whole] == [
        ("a.png", "red"),
        ("b.jpg", "green"),
        ("c.webp", "blue"),
    ]
    globbed = _rows(run("predict", "--model", tiny, f"{pictures}/**/*.webp", f"{pictures}/?.jpg").stdout)
    assert [row["label"] for row in globbed] == ["blue", "green"]
    assert [row["label"] for row in _rows(run("predict", "--model", tiny, f"{pictures}/**/*.png").stdout)] == ["red"]


def test_a_file_whose_name_looks_like_a_pattern(run: Any, tiny: Path, pictures: Path) -> None:
    strange = Path(shutil.copy(pictures / "a.png", pictures / "a[1].png"))
    (row,) = _rows(run("predict", "--model", tiny, strange).stdout)
    assert row["path"] == str(strange)


def test_stdin(run: Any, tiny: Path, pictures: Path) -> None:
    (row,) = _rows(run("predict", "--model", tiny, "-", stdin=(pictures / "b.jpg").read_bytes()).stdout)
    assert (row["path"], row["label"]) == ("-", "green")


def test_an_empty_stdin_is_named_as_it_was_given(run: Any, tiny: Path) -> None:
    (row,) = _rows(run("predict", "--model", tiny, "-", stdin=b"").stdout)
    assert row["error"] == "-: a picture is required. Received: an empty file."


def test_stdin_without_an_end_is_read_as_far_as_it_shows_that_it_is_no_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Zeros(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 <= size < 1000
            return bytes(size)

    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": Zeros()}))
    assert "a file that begins with" in str(_stdin_error())
    monkeypatch.setattr("edgeconv.pictures.reading.MOST_STREAMED", 100)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(b"BM" + bytes(200))}))
    assert "at most 0 MB are required of what is no file on a disk. Received: more" in str(_stdin_error())
    monkeypatch.setattr("sys.stdin", None)
    assert "Received: a closed one" in str(_stdin_error())


def _stdin_error() -> ImageError:
    from edgeconv.cli.pictures import Stdin
    from edgeconv.pictures.reading import read_picture

    with pytest.raises(ImageError, match="required") as caught:
        read_picture(Stdin())
    return caught.value


def test_a_bad_file_among_many_is_told_and_the_others_are_answered(run: Any, tiny: Path, pictures: Path) -> None:
    (pictures / "b.png").write_bytes(b"not a picture")
    result = run("predict", "--model", tiny, pictures, pictures / "absent.png")
    assert result.exit_code == 1
    rows = _rows(result.stdout)
    assert [row.get("label") for row in rows] == ["red", "green", None, "blue", None]
    assert {key for row in (rows[2], rows[4]) for key in row} == {"path", "error"}
    assert rows[4]["error"] == f"{rows[4]['path']}: a picture file is required. Received: no such file. Check the path."
    lines = result.stderr.splitlines()
    assert len(lines) == 2
    assert "b.png" in lines[0]
    assert "absent.png" in lines[1]
    for output_format in ("csv", "table"):
        result = run("predict", "--model", tiny, pictures, "--format", output_format)
        assert result.exit_code == 1
        assert len(result.stdout.splitlines()) == 4
        assert "b.png" in result.stderr


def test_no_argument_takes_the_others_with_it(run: Any, tiny: Path, pictures: Path, tmp_path: Path) -> None:
    good, loop = pictures / "a.png", tmp_path / "loop.png"
    loop.symlink_to(loop)
    for name in ("x" * 300 + ".png", loop, good / "below.png", os.devnull, "no-match-*.png"):
        result = run("predict", "--model", tiny, good, name, good)
        assert result.exit_code == 1, name
        assert [row.get("label") for row in _rows(result.stdout)] == ["red", None, "red"], name


def test_a_picture_without_a_digit_is_named(run: Any, tmp_path: Path) -> None:
    Image.new("L", (200, 200), 230).save(tmp_path / "blank.png")
    result = run("predict", "blank.png")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: blank.png: A picture of a digit is required")


def test_nothing_to_read_is_an_error(run: Any, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("predict", "--model", tiny, tmp_path / "empty")
    assert result.exit_code == 1
    assert "Pictures are required" in result.stderr
    assert run("predict", "--model", tiny, "no-match-*.png").exit_code == 1


def test_csv(run: Any, tiny: Path, pictures: Path) -> None:
    result = run("predict", "--model", tiny, "--format", "csv", "--top-k", 2, pictures)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["label"] for row in rows] == ["red", "green", "blue"]
    assert json.loads(rows[0]["top"])[0]["label"] == "red"
    assert len(json.loads(rows[0]["top"])) == 2
    assert 0.5 < float(rows[0]["probability"]) <= 1


def test_table(run: Any, tiny: Path, pictures: Path) -> None:
    lines = run("predict", "--model", tiny, "--format", "table", pictures).stdout.splitlines()
    assert lines[0].split()[:3] == ["path", "label", "probability"]
    assert len(lines) == 4
    assert "red" in lines[1]


def test_variants_and_lone_files(run: Any, tiny: Path, pictures: Path) -> None:
    answers = [
        _rows(run("predict", *arguments, pictures / "a.png").stdout)[0]
        for arguments in (
            ("--model", tiny, "--variant", "fp32"),
            ("--model", tiny / "model.onnx", "--threads", 2),
            ("--model", tiny, "--variant", "int8", "--device", "cpu"),
            ("--model", tiny / "model.int8.onnx"),
        )
    ]
    assert answers[0]["probability"] == pytest.approx(answers[1]["probability"])
    assert answers[2] == answers[3]
    assert answers[0]["probability"] != answers[2]["probability"]


def test_the_gpu_is_strict(run: Any, tiny: Path, pictures: Path) -> None:
    """The runtime under test is onnxruntime for CPUs."""
    result = run("predict", "--model", tiny, "--device", "gpu", pictures)
    assert result.exit_code == 1
    assert "requires an ONNX Runtime with a GPU provider" in result.stderr


def test_the_newest_artifact_is_taken_and_else_the_shipped_one(
    run: Any, tiny: Path, seven: Path, tmp_path: Path
) -> None:
    (row,) = _rows(run("predict", seven).stdout)
    assert row["label"] == "7"
    shutil.copytree(tiny, tmp_path / "exported" / "mine")
    (row,) = _rows(run("predict", seven).stdout)
    assert row["label"] in COLORS


def test_a_model_that_is_not_there(run: Any, seven: Path) -> None:
    result = run("predict", "--model", "nowhere", seven)
    assert result.exit_code == 1
    assert "must be an artifact's folder" in result.stderr


def test_a_28x28_white_on_black_image_is_not_touched(run: Any, tmp_path: Path) -> None:
    """The golden vectors of the shipped model, as pictures, get the reference's own answers."""
    from edgeconv.runtime.loading import reference_model

    reference = reference_model()
    assert reference is not None
    samples = np.load(reference / "samples.npz")
    for number, image in enumerate(samples["images"]):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number:02}.png")
    rows = _rows(run("predict", "--variant", "fp32", "--top-k", 10, tmp_path).stdout)
    assert [row["index"] for row in rows] == samples["probabilities"].argmax(axis=1).tolist()
    for row, expected in zip(rows, samples["probabilities"], strict=True):
        assert row["probability"] == pytest.approx(float(expected.max()), abs=1e-5)


def test_every_variant_that_an_export_makes_can_be_asked_for() -> None:
    from edgeconv.cli.predict import command
    from edgeconv.variants import VARIANTS

    choices = next(option.type.choices for option in command.params if option.name == "variant")
    assert set(choices) == set(VARIANTS)
