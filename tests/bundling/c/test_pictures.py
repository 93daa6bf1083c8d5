from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.bundling.c.compiling import run, say
from tests.bundling.c.picture_files import draw_pictures, png


def test_answers_to_files_are_those_of_python(
    seven: Path, tmp_path: Path, sanitized: Path, embedded: EmbeddedModel
) -> None:
    pictures = list(draw_pictures(seven, tmp_path))
    made = run(sanitized / "predict", *pictures)
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    rows = [json.loads(line) for line in made.stdout.splitlines()]
    assert [row["path"] for row in rows] == [str(picture) for picture in pictures]
    for row, picture in zip(rows, pictures, strict=True):
        probabilities = embedded.answer(decode(picture)).probabilities
        best = np.argsort(-probabilities, kind="stable")[:3]
        # Another libjpeg than Pillow's may round a pixel otherwise.
        limit = 1e-6 if picture.suffix == ".png" else 0.02
        assert row["index"] == best[0], picture.name
        assert row["probability"] == pytest.approx(probabilities[best[0]], abs=limit), picture.name
        if picture.suffix == ".png":
            assert [score["index"] for score in row["top"]] == best.tolist()


def test_the_reference_s_own_preparation_gives_the_same_labels(seven: Path, tmp_path: Path, built: Path) -> None:
    pictures = [picture for picture in draw_pictures(seven, tmp_path) if not picture.name.startswith("turned")]
    rows = [json.loads(line) for line in run(built / "predict", *pictures).stdout.splitlines()]
    predictor = Predictor(reference_model())
    assert [row["label"] for row in rows] == [predictor.predict(picture).label for picture in pictures]


def test_a_picture_without_anything_in_it_is_said(tmp_path: Path, sanitized: Path) -> None:
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    made = run(sanitized / "predict", tmp_path / "blank.png")
    assert "blank.png: nothing was found in the picture" in say(made)
    assert made.stdout == ""


def test_names_are_escaped_in_json(seven: Path, tmp_path: Path, sanitized: Path) -> None:
    name = 'a "quoted" \\ back\nslash \U0001f600'
    shutil.copyfile(seven, tmp_path / name)
    broken = os.fsencode(tmp_path) + b"/latin-\xe9\xed\xa0\x80.png"
    shutil.copyfile(seven, broken)
    made = subprocess.run([sanitized / "predict", tmp_path / name, broken], capture_output=True, timeout=60)
    paths = [json.loads(line)["path"] for line in made.stdout.splitlines()]
    assert paths == [str(tmp_path / name), f"{tmp_path}/latin-\ufffd\ufffd\ufffd\ufffd.png"]


def test_damaged_pictures_are_said(seven: Path, tmp_path: Path, sanitized: Path) -> None:
    whole = {path.name: path.read_bytes() for path in draw_pictures(seven, tmp_path)}
    lossless, lossy = whole["RGB.png"], whole["RGB.jpg"]
    huge = png(struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0), b"\0" * 100)
    buffer = io.BytesIO()
    Image.new("CMYK", (20, 20)).save(buffer, "JPEG")
    damaged = {
        "empty": (b"", "the file is empty"),
        "text": (b"hello, I am no picture", "it begins otherwise"),
        "cut.png": (lossless[: len(lossless) // 2], "a damaged PNG: Read Error"),
        "header.png": (lossless[:20], "a damaged PNG"),
        "changed.png": (lossless[:100] + b"\x55" + lossless[101:], "a damaged PNG"),
        "huge.png": (huge, "at most 89478485 pixels and 65535 a side are allowed, it has 60000x60000"),
        "cut.jpg": (lossy[: len(lossy) // 2], "a damaged JPEG: Premature end of JPEG file"),
        "header.jpg": (lossy[:30], "a damaged JPEG"),
        "four.jpg": (buffer.getvalue(), "a JPEG of 4 colours, convert it to RGB first"),
    }
    for name, (content, _) in damaged.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    paths = [tmp_path / name for name in (*damaged, "folder", "absent")]
    made = run(sanitized / "predict", *paths, seven)
    lines = say(made).splitlines()
    words = [*(words for _, words in damaged.values()), "Is a directory", "No such file or directory"]
    assert len(lines) == len(words)
    for line, path, reason in zip(lines, paths, words, strict=True):
        assert line.startswith(f"Error: {path}: a PNG or JPEG picture is required. Received: {reason}"), line
    assert json.loads(made.stdout)["label"] == "7"


def test_pictures_with_random_damage_do_no_harm(seven: Path, tmp_path: Path, sanitized: Path) -> None:
    """Takes some seconds: hundreds of files."""
    random = np.random.default_rng(3)
    files = []
    for path in list(draw_pictures(seven, tmp_path)):
        for turn in range(8):
            content = np.frombuffer(path.read_bytes(), np.uint8).copy()
            # Half of the damage goes where headers, palettes and EXIF data are.
            places = random.integers(8, len(content) if turn % 2 else 120, 4)
            content[places] = random.integers(0, 256, 4)
            files.append(tmp_path / f"{turn}-{path.name}")
            files[-1].write_bytes(content.tobytes())
    made = run(sanitized / "predict", *files)
    assert len(say(made).splitlines()) + len(made.stdout.splitlines()) == len(files)
