"""Files of strangers: none hangs a bundle in C, fills its memory, or takes the others' answers with it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.runtime.embedded import EmbeddedModel
from tests.bundling.c.compiling import run, say
from tests.bundling.hostile_files import answering_nan, endless, flat_png
from tests.bundling.measuring import MOST_MB, full, measured, unread


def test_pipes_and_devices_are_not_waited_for(sanitized: Path, seven: Path, tmp_path: Path) -> None:
    for place in endless(tmp_path):
        made = run(sanitized / "predict", place, seven)
        assert say(made).endswith("a PNG or JPEG picture is required. Received: a pipe or a device.\n")
        assert json.loads(made.stdout)["label"] == "7"
        assert say(run(sanitized / "predict", "--model", place, seven)).endswith("Received: a pipe or a device.\n")
        assert say(run(sanitized / "selftest", place)).endswith("Received: a pipe or a device.\n")


def test_no_picture_takes_more_than_500_mb(built: Path, seven: Path, tmp_path: Path) -> None:
    """Decodes pictures of 16, 10 and 16 megapixels: some seconds."""
    (tmp_path / "rgba.png").write_bytes(flat_png(4000, 4000))
    (tmp_path / "wide.png").write_bytes(flat_png(65_535, 150))
    Image.new("RGB", (4000, 4000)).save(tmp_path / "rgb.jpg", progressive=True, subsampling=0)
    base = measured(tmp_path, built / "predict", seven).peak_mb
    for name in ("rgba.png", "wide.png", "rgb.jpg"):
        done = measured(tmp_path, built / "predict", name)
        assert done.stderr == f"Error: {name}: nothing was found in the picture\n"
        assert done.peak_mb - base < MOST_MB, name


def test_what_would_take_more_is_refused_before_it_is_decoded(sanitized: Path, seven: Path, tmp_path: Path) -> None:
    Image.new("RGB", (8500, 8500)).save(tmp_path / "scans.jpg", progressive=True, subsampling=0)
    (tmp_path / "side.png").write_bytes(flat_png(65_536, 1))
    made = run(sanitized / "predict", tmp_path / "scans.jpg", tmp_path / "side.png", seven)
    scans, side = say(made).splitlines()
    assert scans.endswith("Received: one that would take 433 MB of 400.")
    assert side.endswith("Received: at most 89478485 pixels and 65535 a side are allowed, it has 65536x1.")
    assert json.loads(made.stdout)["label"] == "7"


@pytest.mark.parametrize("name", ["RGB.png", "RGBA.png", "RGB.jpg"])
def test_a_picture_that_is_scaled_down_is_the_mean_of_squares(
    name: str, sanitized: Path, seven: Path, tmp_path: Path, embedded: EmbeddedModel
) -> None:
    """Eight megapixels, of which two are left."""
    large = Image.open(seven).convert("RGB").resize((3299, 2401))
    (large.convert("RGBA") if name == "RGBA.png" else large).save(tmp_path / name, quality=95, subsampling=0)
    means = np.asarray(large.reduce(2))
    row = json.loads(run(sanitized / "predict", tmp_path / name).stdout)
    probabilities = embedded.answer(means).probabilities
    assert row["index"] == probabilities.argmax()
    assert row["probability"] == pytest.approx(probabilities.max(), abs=0.02)


def test_what_steers_a_terminal_is_escaped(sanitized: Path, tmp_path: Path) -> None:
    words = say(run(sanitized / "predict", tmp_path / "a \x1b[2J\u202e\x9b\nä.png"))
    assert words.startswith(f"Error: {tmp_path}/a \\u001b[2J\\u202e\\u009b\\u000aä.png: a PNG")


def test_an_answer_of_nan_is_an_error(source: Path, sanitized: Path, seven: Path, tmp_path: Path) -> None:
    (tmp_path / "nan.onnx").write_bytes(answering_nan((source / "model.e2e.onnx").read_bytes()))
    made = run(sanitized / "predict", "--model", tmp_path / "nan.onnx", seven)
    assert say(made) == f"Error: {seven}: the model answers NaN or infinity\n"
    assert made.stdout == ""


def test_an_stdout_that_takes_nothing_is_told(source: Path, built: Path, seven: Path, tmp_path: Path) -> None:
    assert unread(tmp_path, built / "predict", seven) == (-signal.SIGPIPE, "")
    said = "Error: stdout cannot be written to\n"
    assert full(tmp_path, built / "predict", seven) == (1, said)
    code, words = full(source, built / "selftest", "--rows")
    assert (code, words.endswith(said)) == (1, True)
