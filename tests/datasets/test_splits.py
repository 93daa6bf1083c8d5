"""Datasets in folders: which subfolders are splits, and which are classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeconv.pictures.decoding import decode
from tests.datasets.drawn import Listener, draw_classes, open_folder


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("train", "val"),
        ("train", "validation"),
        ("train", "valid"),
        ("Train", "Test"),
        ("TRAIN", "VAL"),
        ("training", "testing"),
        ("Training", "Validation"),
    ],
)
def test_train_and_test_folders_are_the_splits(tmp_path: Path, train: str, test: str) -> None:
    root = tmp_path / "bugs"
    draw_classes(root / train, each=4)
    draw_classes(root / test, each=1)
    (root / ".git").mkdir()
    draw_classes(root / "__MACOSX", each=1)
    dataset = open_folder(root)
    assert dataset.labels == ("ant", "bee")
    assert dataset.train.labels.tolist() == [0] * 4 + [1] * 4
    assert dataset.test.labels.tolist() == [0, 1]
    np.testing.assert_array_equal(dataset.test.images[1], decode(root / test / "bee" / "0.png"))


@pytest.mark.parametrize("names", [("train", "test", "bus"), ("train", "training", "test"), ("test", "val")])
def test_folders_that_leave_it_open_which_is_the_split_are_classes(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert open_folder(draw_classes(tmp_path, names=names)).labels == tuple(sorted(names))


def test_folders_beside_the_splits_are_mentioned(tmp_path: Path) -> None:
    """A project's folder has more in it than its data, such as `exported`."""
    listener = Listener()
    for part in ("train", "test", "val"):
        draw_classes(tmp_path / part, each=1)
    (tmp_path / "exported" / "bugs").mkdir(parents=True)
    assert len(open_folder(tmp_path, listener).test) == 2
    assert listener.words == [f"{tmp_path}: test is the test split. Not used: exported, val."]


def test_unsorted_pictures_are_no_test_split(tmp_path: Path) -> None:
    """As in competitions, which keep the classes of their test pictures to themselves."""
    for part in ("train", "valid"):
        draw_classes(tmp_path / part, each=1)
    draw_classes(tmp_path, names=("test",))
    listener = Listener()
    assert len(open_folder(tmp_path, listener).test) == 2
    assert listener.words == [f"{tmp_path}: valid is the test split. Not used: test."]


def test_train_is_a_class_beside_other_classes(tmp_path: Path) -> None:
    dataset = open_folder(draw_classes(tmp_path / "vehicles", names=("bus", "test", "train")))
    assert dataset.labels == ("bus", "test", "train")
