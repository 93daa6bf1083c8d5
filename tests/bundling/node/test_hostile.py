"""Files of strangers: none hangs the bundle `node`, fills its memory, or takes the others' answers with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.runtime.embedded import EmbeddedModel
from tests.bundling.hostile_files import RGB, answering_nan, endless, flat_png
from tests.bundling.measuring import MOST_MB, full, measured, unread
from tests.bundling.node.running import node


def test_pipes_and_devices_are_not_waited_for(app: Path, seven: Path, tmp_path: Path) -> None:
    """Starts the programs five times."""
    for place in endless(tmp_path):
        done = measured(app, "node", "predict.mjs", place, seven)
        assert (done.returncode, json.loads(done.stdout)["label"]) == (1, "7")
        assert done.stderr == f"Error: {place}: cannot be read: a pipe or a device\n"
        done = measured(app, "node", "selftest.mjs", place)
        assert done.stderr == f"Error: {place}: cannot be read: a pipe or a device\n"
    (app / "model.e2e.onnx").unlink()
    (tmp_path / "pipe.png").rename(app / "model.e2e.onnx")
    done = measured(app, "node", "predict.mjs", seven)
    assert done.stderr.endswith("model.e2e.onnx: cannot be loaded: a pipe or a device\n")


def test_no_picture_takes_more_than_500_mb(app: Path, seven: Path, tmp_path: Path) -> None:
    """Decodes pictures of twelve megapixels, and of fifty as phones make them: some seconds each."""
    (tmp_path / "a.png").write_bytes(flat_png(4000, 3000))
    Image.new("RGB", (4032, 3024)).save(tmp_path / "a.jpg")
    Image.new("RGB", (8160, 6144)).save(tmp_path / "large.jpg")
    Image.new("RGB", (8160, 6144)).save(tmp_path / "scans.jpg", progressive=True)
    base = measured(app, "node", "predict.mjs", seven).peak_mb
    for name in ("a.png", "a.jpg", "large.jpg", "scans.jpg"):
        done = measured(app, "node", "predict.mjs", tmp_path / name)
        assert done.stderr == f"Error: {tmp_path / name}: nothing was found in the picture\n"
        assert done.peak_mb - base < MOST_MB, name


def test_what_would_take_more_is_refused(app: Path, seven: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(flat_png(5000, 4000))
    (tmp_path / "side.png").write_bytes(flat_png(65_536, 1))
    Image.new("RGB", (9000, 9000)).save(tmp_path / "a.jpg")
    small = flat_png(40, 30, RGB, interlaced=1)
    bomb = flat_png(20_000, 10_000, RGB)
    start, end = bomb.index(b"IDAT") - 4, bomb.index(b"IEND") - 4
    (tmp_path / "bomb.png").write_bytes(small[:33] + bomb[start:end] + small[-12:])
    base = measured(app, "node", "predict.mjs", seven).peak_mb
    files = [tmp_path / name for name in ("a.png", "side.png", "a.jpg", "bomb.png")]
    done = measured(app, "node", "predict.mjs", *files, seven)
    assert (done.returncode, json.loads(done.stdout)["label"]) == (1, "7")
    png, side, jpeg, bomb_words = (line.removeprefix(f"Error: {tmp_path}/") for line in done.stderr.splitlines())
    assert png == "a.png: 5000x4000 is too large: it would take 400 MB of 300"
    assert side == "side.png: 65536x1 is too large"
    assert jpeg.startswith("a.jpg: 9000x9000 is too large: it would take 73")
    assert bomb_words.startswith("bomb.png: is damaged: Cannot create a Buffer larger than")
    assert done.peak_mb - base < MOST_MB


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_large_jpeg_is_scaled_down_as_the_mean_of_squares(mode: str, app: Path, seven: Path, tmp_path: Path) -> None:
    """A picture of 20 megapixels that lies on its side; in grey it is decoded by jpeg-js, which makes colours of it."""
    large = Image.open(seven).convert(mode).resize((5200, 3900))
    exif = Image.Exif()
    exif[0x0112] = 6
    large.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif, quality=95)
    row = json.loads(node(app, "predict.mjs", tmp_path / "a.jpg").stdout)
    means = np.asarray(large.convert("RGB").reduce(4))
    probabilities = EmbeddedModel((app / "model.e2e.onnx").read_bytes()).answer(means).probabilities
    assert row["index"] == probabilities.argmax()
    assert row["probability"] == pytest.approx(probabilities.max(), abs=0.01)


def test_a_large_jpeg_that_is_damaged_is_told(app: Path, seven: Path, tmp_path: Path) -> None:
    Image.open(seven).convert("RGB").resize((5200, 3900)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    done = node(app, "predict.mjs", tmp_path / "a.jpg", seven)
    assert (done.returncode, json.loads(done.stdout)["label"]) == (1, "7")
    assert done.stderr == f"Error: {tmp_path / 'a.jpg'}: is damaged: libjpeg-turbo cannot decode it\n"


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_picture_that_is_scaled_down_is_the_mean_of_squares(
    mode: str, app: Path, seven: Path, tmp_path: Path
) -> None:
    large = Image.open(seven).convert("RGB").resize((2401, 1801))
    large.convert(mode).save(tmp_path / "a.png")
    row = json.loads(node(app, "predict.mjs", tmp_path / "a.png").stdout)
    means = np.asarray(large.reduce(2))
    probabilities = EmbeddedModel((app / "model.e2e.onnx").read_bytes()).answer(means).probabilities
    assert row["index"] == probabilities.argmax()
    assert row["probability"] == pytest.approx(probabilities.max(), abs=0.01)


def test_what_steers_a_terminal_is_escaped(app: Path, seven: Path, tmp_path: Path) -> None:
    name = "a \x1b[2J\u202e\x9b\nä.png"
    done = node(app, "predict.mjs", tmp_path / name)
    assert done.stderr.startswith(f"Error: {tmp_path}/a \\u001b[2J\\u202e\\u009b\\u000aä.png: cannot be read")
    (tmp_path / name).write_bytes(seven.read_bytes())
    done = node(app, "predict.mjs", tmp_path / name)
    assert json.loads(done.stdout)["path"] == str(tmp_path / name)
    assert "\\u202e\\u009b\\nä.png" in done.stdout


def test_an_answer_of_nan_is_an_error(app: Path, seven: Path) -> None:
    (app / "model.e2e.onnx").write_bytes(answering_nan((app / "model.e2e.onnx").read_bytes()))
    done = node(app, "predict.mjs", seven)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {seven}: the model answers NaN or infinity\n"


def test_an_stdout_that_takes_nothing_is_no_traceback(app: Path, seven: Path) -> None:
    assert unread(app, "node", "predict.mjs", seven, seven) == (1, "")
    code, said = unread(app, "node", "selftest.mjs", "--rows")
    assert (code, [line for line in said.splitlines() if not line.startswith("PASS")]) == (1, [])
    assert full(app, "node", "predict.mjs", seven) == (1, "Error: stdout cannot be written to: ENOSPC\n")
