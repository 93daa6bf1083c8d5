"""Files are read and answered by the bundle `python` as by edgeconv."""

from __future__ import annotations

import json
import struct
import zlib
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.bundling.python.running import run


def test_files_are_read_as_edgeconv_reads_them(package: ModuleType, pictures: list[Path]) -> None:
    for file in pictures:
        np.testing.assert_array_equal(package.inputs.read_picture(file), decode(file), err_msg=file.name)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright_as_exif_says(package: ModuleType, orientation: int) -> None:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.arange(12 * 20 * 3, dtype=np.uint16).astype(np.uint8).reshape(12, 20, 3)).save(
        file, "PNG", exif=exif
    )
    np.testing.assert_array_equal(package.inputs.read_picture(file.getvalue()), decode(file.getvalue()))


def test_pictures_are_answered_as_edgeconv_answers_them(copy: Path, pictures: list[Path]) -> None:
    """Twenty-two pictures by two programs, two seconds."""
    done = run(copy, *pictures)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["path"] for row in rows] == [str(file) for file in pictures]
    embedded, predictor = EmbeddedModel((copy / "model" / "model.e2e.onnx").read_bytes()), Predictor(reference_model())
    for row, file in zip(rows, pictures, strict=True):
        wanted = predictor.predict(file)
        assert row["label"] == wanted.label
        assert (list(row), list(row["top"][0])) == (["path", *wanted.as_dict()], list(wanted.top[0].as_dict()))
        # 0.02 is the self-test's own tolerance; beside the same preparation there is no difference.
        assert row["probability"] == pytest.approx(wanted.probability, abs=0.02)
        exact = embedded.answer(decode(file)).probabilities
        assert [score["probability"] for score in row["top"]] == pytest.approx(
            np.sort(exact)[:-4:-1].tolist(), abs=1e-6
        )


def test_pictures_that_fail_leave_the_others_answered(copy: Path, seven: Path, tmp_path: Path) -> None:
    broken, blank, text = tmp_path / "broken.png", tmp_path / "blank.png", tmp_path / "text.png"
    broken.write_bytes(seven.read_bytes()[:3000])
    Image.new("L", (90, 60), 200).save(blank)
    text.write_text("no picture")
    done = run(copy, "absent.png", broken, seven, blank, text, tmp_path)
    assert done.returncode == 1
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["path"], row["label"]) == (str(seven), "7")
    absent, damaged, nothing, no_picture, folder = done.stderr.splitlines()
    assert absent == "Error: absent.png: cannot be read: No such file or directory"
    assert damaged.startswith(f"Error: {broken}: is damaged: ")
    assert nothing == f"Error: {blank}: nothing was found in the picture"
    assert no_picture == f"Error: {text}: is none of PNG, JPEG, BMP, GIF, WEBP, TIFF"
    assert folder == f"Error: {tmp_path}: cannot be read: Is a directory"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [9_500, 20_000])
def test_decompression_bombs_are_refused(package: ModuleType, side: int) -> None:
    header = b"IHDR" + struct.pack(">II5B", side, side, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(package.InputError, match="is too large"):
        package.inputs.read_picture(bomb)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((5, 5)), r"must be uint8 \(height, width, channels\), not float64 \(5, 5\)"),
        (np.zeros((5, 5), np.uint8), r"not uint8 \(5, 5\)"),
        (np.zeros((0, 5, 1), np.uint8), r"not uint8 \(0, 5, 1\)"),
        (np.zeros((5, 5, 2), np.uint8), "1, 3 or 4 channels are read, not 2"),
    ],
)
def test_pixels_that_are_no_picture_are_refused(package: ModuleType, pixels: Any, words: str) -> None:
    with pytest.raises(package.InputError, match=words):
        package.Model().predict(pixels)


def test_an_app_gets_an_answer_from_pixels(package: ModuleType, seven: Path) -> None:
    model, pixels = package.Model(), decode(seven)
    answer = model.predict(pixels, top=2)
    assert (answer.label, answer.index, len(answer.top)) == ("7", 7, 2)
    assert model.predict(seven.read_bytes(), top=2) == model.predict(seven, top=2) == answer
