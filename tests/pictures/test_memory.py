"""No picture takes more than 500 MB; each is read in a child of its own, which takes a second and more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.memory import MOST_MB, peak_of
from tests.pictures.large import READ, REFUSED

PREDICT = """
from edgeconv.runtime.predictor import Predictor
def answer_of(model, variant, *pictures):
    predictor = Predictor(model, variant=variant)
    if len(pictures) == 1:
        return predictor.predict(pictures[0]).label
    answers = predictor.predict_many(pictures)
    return [answer.prediction.label if answer.prediction else answer.error for answer in answers]
"""

READ_FILE = """
from edgeconv.pictures.reading import read_picture
def answer_of(path):
    with open(path, "rb") as file:
        return read_picture(file).shape
"""


@pytest.mark.parametrize("name", READ)
def test_a_large_picture_is_read_in_little_memory(tmp_path: Path, tiny: Path, name: str) -> None:
    READ[name](tmp_path / name)
    peak = peak_of(PREDICT, tiny, "int8", tmp_path / name)
    assert peak.answer in {"red", "green", "blue"}
    assert peak.mb < MOST_MB, peak


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_take_too_much_is_refused_before_it_does(tmp_path: Path, tiny: Path, name: str) -> None:
    write, message = REFUSED[name]
    write(tmp_path / name)
    peak = peak_of(PREDICT, tiny, "int8", tmp_path / name)
    assert peak.answer.startswith(f"ImageError: {tmp_path / name}: ")
    assert message in peak.answer
    assert peak.mb < MOST_MB, peak


@pytest.mark.parametrize("variant", ["int8", "e2e"])
def test_threads_share_the_memory(tmp_path: Path, tiny: Path, variant: str) -> None:
    """Several large pictures, decoded by two threads, and pictures without an answer among them."""
    names = ["rgba.tif", "65535x1365.png", "48-megapixels-on-their-side.jpg"]
    for name in names:
        READ[name](tmp_path / name)
    peak = peak_of(PREDICT, tiny, variant, *(tmp_path / name for name in names))
    assert peak.answer.count("'") == 2 * len(names), peak
    assert peak.mb < MOST_MB, peak


def test_a_graph_that_prepares_pictures_takes_no_more(tmp_path: Path, tiny: Path) -> None:
    READ["50-megapixels.png"](tmp_path / "large.png")
    peak = peak_of(PREDICT, tiny, "e2e", tmp_path / "large.png")
    assert peak.answer in {"red", "green", "blue"}
    assert peak.mb < MOST_MB, peak


def test_an_open_file_counts_too(tmp_path: Path) -> None:
    READ["45-megapixels.bmp"](tmp_path / "large.bmp")
    peak = peak_of(READ_FILE, tmp_path / "large.bmp")
    assert peak.answer == "(3200, 3500, 3)"
    assert peak.mb < MOST_MB, peak


def test_a_stream_without_an_end_is_not_read_to_it() -> None:
    peak = peak_of(
        """
import io
from edgeconv.pictures.reading import read_picture
class Endless(io.RawIOBase):
    def read(self, size=-1):
        return b"BM" + bytes(size - 2)
def answer_of():
    return read_picture(Endless())
"""
    )
    assert "at most 268 MB are required" in peak.answer
    assert peak.mb < MOST_MB, peak
