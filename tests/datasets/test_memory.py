"""No small dataset takes more than 500 MB; a child for each, which takes a second and more."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.memory import MOST_MB, peak_of
from tests.pictures.large import GREY, saved
from tests.runtime.test_memory import bomb

OPEN = """
from edgeconv.datasets.opening import open_dataset
from edgeconv.datasets.spec import DatasetSpec
def answer_of(path):
    return open_dataset(DatasetSpec(path)).train.images.shape
"""

LABELS = """
from edgeconv.datasets.labels import read_labels
def answer_of(path):
    return len(read_labels(path))
"""


def npz(folder: Path) -> Path:
    return bomb(folder / "bomb.npz", "x_train", 1000)


def idx(folder: Path) -> Path:
    for name, axes in (("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1)):
        shape = (1000, 1000, 1000)[:axes]
        with gzip.open(folder / f"{name}-idx{axes}-ubyte.gz", "wb") as file:
            file.write(struct.pack(f">{1 + axes}I", 0x0800 | axes, *shape))
            for _ in range(1000 if axes == 3 and name.startswith("train") else 1):
                file.write(bytes(10**6 if axes == 3 else 1000))
    return folder


def pictures(folder: Path) -> Path:
    for name in ("ant", "bee"):
        (folder / name).mkdir()
        Image.new("RGB", (9, 9), GREY).save(folder / name / "a.png")
        saved("PNG", "RGB", (9000, 9000), GREY)(folder / name / "b.png")
    return folder


@pytest.mark.parametrize(
    ("write", "answer"),
    [
        (npz, "1,000 MB packed into"),
        (idx, "MB packed into"),
        (pictures, "(2, 64, 64, 3)"),
    ],
)
def test_a_small_dataset_takes_little(tmp_path: Path, write: Callable[[Path], Path], answer: str) -> None:
    peak = peak_of(OPEN, write(tmp_path))
    assert answer in peak.answer
    assert peak.mb < MOST_MB, peak


@pytest.mark.parametrize(("lines", "answer"), [(600_000, "600000"), (2_000_000, "8 MB, more than 2 MB")])
def test_labels_take_little(tmp_path: Path, lines: int, answer: str) -> None:
    (tmp_path / "labels.txt").write_text("0 a\n" * lines if lines > 10**6 else "ab\n" * lines)
    peak = peak_of(LABELS, tmp_path / "labels.txt")
    assert answer in peak.answer
    assert peak.mb < MOST_MB, peak
