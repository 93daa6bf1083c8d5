"""Files are read and answered by the bundle `node` as by edgeconv."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.bundling.node.running import node


def test_pictures_are_answered_as_edgeconv_answers_them(app: Path, pictures: list[Path]) -> None:
    """Twelve pictures by two programs, one second."""
    done = node(app, "predict.mjs", *pictures)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(file) for file in pictures]
    predictor = Predictor(reference_model())
    for row, file in zip(rows, pictures, strict=True):
        wanted = predictor.predict(file)
        assert (row["label"], row["index"]) == (wanted.label, wanted.index)
        assert (list(row), list(row["top"][0])) == (["path", *wanted.as_dict()], list(wanted.top[0].as_dict()))
        assert [score["probability"] for score in row["top"]] == sorted(
            (score["probability"] for score in row["top"]), reverse=True
        )
        # 0.02 is the self-test's own tolerance; only JPEG's pixels differ, by what decoders may differ.
        assert row["probability"] == pytest.approx(wanted.probability, abs=0.02 if file.suffix == ".jpg" else 1e-3)


def _read(app: Path, files: list[Path]) -> list[np.ndarray]:
    """Return the pixels that the bundle reads of files."""
    (app / "dump.mjs").write_text(
        """
        import { readPicture } from "./pictures.mjs";
        for (const file of process.argv.slice(2)) {
          const { data, height, width, channels } = await readPicture(file);
          const pixels = Buffer.from(data).toString("base64");
          console.log(JSON.stringify({ pixels, shape: [height, width, channels] }));
        }
        """
    )
    rows = [json.loads(line) for line in node(app, "dump.mjs", *files).stdout.splitlines()]
    assert len(rows) == len(files)
    return [np.frombuffer(base64.b64decode(row["pixels"]), np.uint8).reshape(row["shape"]) for row in rows]


def _as_rgba(picture: np.ndarray) -> np.ndarray:
    colours = picture[..., :3] if picture.shape[2] > 1 else np.repeat(picture, 3, axis=2)
    alpha = picture[..., 3:] if picture.shape[2] == 4 else np.full_like(picture[..., :1], 255)
    return np.concatenate([colours, alpha], axis=2)


def test_files_are_read_as_edgeconv_reads_them(app: Path, pictures: list[Path]) -> None:
    for file, received in zip(pictures, _read(app, pictures), strict=True):
        wanted = decode(file)
        difference = np.abs(_as_rgba(received).astype(int) - _as_rgba(wanted))
        # JPEG: neighbours share their colours here, while Pillow's decoder smoothes between them.
        assert (difference.mean() < 2) if file.suffix == ".jpg" else (difference.max() == 0), file.name


def test_jpegs_stand_upright_as_exif_says(app: Path, tmp_path: Path) -> None:
    y, x = np.mgrid[:24, :40]
    stored = Image.fromarray(np.stack([y * 10, x * 6, 255 - y * 5 - x * 3], axis=-1).astype(np.uint8))
    files = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files.append(tmp_path / f"{orientation}.jpg")
        stored.save(files[-1], exif=exif, quality=95, subsampling=0)
    for file, received in zip(files, _read(app, files), strict=True):
        wanted = decode(file)
        assert received.shape == wanted.shape
        assert np.abs(received.astype(int) - wanted).max() <= 4, file.name


def test_pictures_that_fail_leave_the_others_answered(app: Path, seven: Path, tmp_path: Path) -> None:
    photo = BytesIO()
    Image.open(seven).convert("RGB").save(photo, "JPEG")
    files = {
        "broken.png": seven.read_bytes()[:3000],
        "cut.png": seven.read_bytes()[:18],
        "broken.jpg": photo.getvalue()[:2000],
        "text.png": b"no picture",
        "bomb.png": seven.read_bytes()[:16] + b"\x00\x01\x00\x00" * 2 + seven.read_bytes()[24:],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    Image.new("L", (90, 60), 200).save(tmp_path / "blank.png")
    names = ["absent.png", "broken.png", "cut.png", "broken.jpg", "blank.png", "text.png", "bomb.png"]
    done = node(app, "predict.mjs", *(tmp_path / name for name in names), seven)
    assert done.returncode == 1
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["path"], row["label"]) == (str(seven), "7")
    expected = [
        "cannot be read: ENOENT",
        "is damaged: ",
        "is damaged: ",
        "is damaged: ",
        "nothing was found in the picture",
        "is neither a PNG nor a JPEG picture",
        "65536x65536 is too large",
    ]
    for name, words, line in zip(names, expected, done.stderr.splitlines(), strict=True):
        assert line.startswith(f"Error: {tmp_path / name}: {words}")
