"""Files of strangers: none hangs the bundle `python`, fills its memory, or takes the others' answers with it."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.bundling.hostile_files import endless, flat_png, tiff_of_one_tile
from tests.bundling.measuring import MOST_MB, full, measured, unread
from tests.bundling.python.running import run
from tests.pictures.large import READ, REFUSED

PROGRAM = (sys.executable, "-B", "-E", "predict.py")


def test_pipes_and_devices_are_not_waited_for(copy: Path, seven: Path, tmp_path: Path) -> None:
    """Starts the program four times."""
    for place in endless(tmp_path):
        done = measured(copy, *PROGRAM, place, seven)
        assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
        assert done.stderr == f"Error: {place}: cannot be read: a pipe or a device\n"
        done = measured(copy, *PROGRAM, "--selftest", place)
        assert done.stderr == f"Error: {place}: cannot be read: a pipe or a device\n"
    (copy / "model" / "model.e2e.onnx").unlink()
    (tmp_path / "pipe.png").rename(copy / "model" / "model.e2e.onnx")
    done = measured(copy, *PROGRAM, seven)
    assert done.returncode == 1
    assert done.stderr.endswith("model.e2e.onnx: cannot be loaded: a pipe or a device\n")


def test_no_picture_takes_more_than_500_mb(copy: Path, seven: Path, tmp_path: Path) -> None:
    """Decodes pictures of 16 and 10 megapixels: some seconds."""
    Image.fromarray(np.full((4000, 4000, 4), 90, np.uint8)).save(tmp_path / "a.tif", compression="tiff_adobe_deflate")
    (tmp_path / "wide.png").write_bytes(flat_png(65_535, 150))
    base = measured(copy, *PROGRAM, seven).peak_mb
    for name in ("a.tif", "wide.png"):
        done = measured(copy, *PROGRAM, tmp_path / name)
        assert done.stderr == f"Error: {tmp_path / name}: nothing was found in the picture\n"
        assert done.peak_mb - base < MOST_MB, name


def test_what_would_take_more_is_refused_before_it_is_decoded(copy: Path, seven: Path, tmp_path: Path) -> None:
    bits = struct.pack("<I", (16_383 - 1) | (5_461 - 1) << 14)
    lossless = b"\x2f" + bits + b"\x88\x88\x08\x00" * 2
    riff = b"WEBPVP8L" + struct.pack("<I", len(lossless)) + lossless + b"\0"
    (tmp_path / "a.webp").write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    Image.new("CMYK", (9_000, 9_000)).save(tmp_path / "a.jpg")
    (tmp_path / "a.tif").write_bytes(tiff_of_one_tile(60_000))
    (tmp_path / "side.png").write_bytes(flat_png(65_536, 1))
    base = measured(copy, *PROGRAM, seven).peak_mb
    done = measured(copy, *PROGRAM, *(tmp_path / name for name in ("a.webp", "a.jpg", "a.tif", "side.png")), seven)
    assert (done.returncode, json.loads(done.stdout)["label"]) == (1, "7")
    webp, jpeg, tile, side = (line.removeprefix(f"Error: {tmp_path}/") for line in done.stderr.splitlines())
    assert webp == "a.webp: 16383x5461 is too large: it would take 1,431 MB of 400"
    assert jpeg == "a.jpg: 9000x9000 is too large: it would take 668 MB of 400"
    assert tile.startswith("a.tif: 40x40 is too large: it would take 28,800 MB")
    assert side == "side.png: 65536x1 is too large"
    assert done.peak_mb - base < MOST_MB


def test_what_stands_beside_the_pixels_is_refused_before_it_is_read(copy: Path, seven: Path, tmp_path: Path) -> None:
    """Reads pictures whose metadata would take from 0.5 to 3 GB each."""
    names = ("of-one-chunk.png", "of-many-strips.tif", "of-one-tag.tif", "overlapping.tif")
    for name in names:
        REFUSED[name][0](tmp_path / name)
    base = measured(copy, *PROGRAM, seven).peak_mb
    done = measured(copy, *PROGRAM, *(tmp_path / name for name in names), seven)
    assert (done.returncode, json.loads(done.stdout)["label"]) == (1, "7")
    for name, line in zip(names, done.stderr.splitlines(), strict=True):
        assert line.startswith(f"Error: {tmp_path / name}: a ")
        assert REFUSED[name][1] in line
    assert done.peak_mb - base < MOST_MB


def test_metadata_whose_parts_overlap_is_left_out(copy: Path, seven: Path, tmp_path: Path) -> None:
    READ["of-overlapping-exif.png"](tmp_path / "a.png")
    base = measured(copy, *PROGRAM, seven).peak_mb
    done = measured(copy, *PROGRAM, tmp_path / "a.png")
    assert done.stderr == f"Error: {tmp_path / 'a.png'}: nothing was found in the picture\n"
    assert done.peak_mb - base < MOST_MB
    app = "import model, sys\ntry: model.Model().predict(sys.argv[1])\nexcept model.InputError: print('refused')"
    done = measured(copy, sys.executable, "-c", app, tmp_path / "a.png")
    assert (done.stdout, done.stderr) == ("refused\n", "")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16", "I", "F"])
def test_a_picture_that_is_scaled_down_is_the_mean_of_squares(mode: str, package: ModuleType, seven: Path) -> None:
    large = Image.open(seven).convert("L").resize((400, 301))
    if mode == "I;16":
        large = Image.fromarray(np.asarray(large).astype(np.uint16) * 257)
    large = large if mode == large.mode else large.convert(mode)
    whole, small = (package.pixels.pixels_of(large, factor).astype(int) for factor in (1, 2))
    squares = whole[:300].reshape(150, 2, 200, 2, -1).mean((1, 3))
    assert small.shape == (151, 200, whole.shape[2])
    assert np.abs(small[:150] - squares).max() <= 1


def test_what_steers_a_terminal_is_escaped(copy: Path, tmp_path: Path) -> None:
    done = run(copy, tmp_path / "a \x1b[2J\u202e\n.png")
    assert done.stderr.startswith(f"Error: {tmp_path}/a \\u001b[2J\\u202e\\u000a.png: cannot be read")


def test_an_stdout_that_takes_nothing_is_no_traceback(copy: Path, seven: Path) -> None:
    assert unread(copy, *PROGRAM, seven, seven) == (1, "")
    assert unread(copy, *PROGRAM, "--selftest", "--rows") == (1, "")
    assert full(copy, *PROGRAM, seven) == (1, "Error: stdout cannot be written to: No space left on device\n")


class _NaN:
    def run(self, _: Any, __: Any) -> list[Any]:
        return [np.full((1, 10), np.nan, np.float32), np.ones((1, 28, 28, 1), np.uint8)]


def test_an_answer_of_nan_is_an_error(package: ModuleType, seven: Path) -> None:
    model = package.Model()
    model._session = _NaN()
    with pytest.raises(package.InputError, match="the model answers NaN or infinity"):
        model.predict(seven)


def test_a_self_test_of_absurd_sizes_is_an_error_in_words(copy: Path, package: ModuleType) -> None:
    whole = (copy / "model" / "selftest.bin").read_bytes()
    absurd = [
        whole[:16] + struct.pack("<I", 2**32 - 1) + whole[20:],
        whole[:20] + struct.pack("<I", 2**32 - 1) + whole[24:],
        whole[:84] + struct.pack("<I", 2**32 - 1) + whole[88:],
        whole[:88] + struct.pack("<4q", 0, 2**62, 2**62, 2**62) + whole[120:],
    ]
    for content in absurd:
        (copy / "other.bin").write_bytes(content)
        with pytest.raises(package.BundleError, match=r"other\.bin: is damaged"):
            package.samples.read_samples(copy / "other.bin")
