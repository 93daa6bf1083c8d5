"""Datasets in folders of pictures: any size and colour, one subfolder a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.errors import DatasetError
from edgeconv.pictures.decoding import decode
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from tests.datasets.drawn import Listener, draw_classes, draw_picture, open_folder


def _as_set(dataset: Dataset) -> set[tuple[bytes, int]]:
    return {
        (image.tobytes(), int(label))
        for split in (dataset.train, dataset.test)
        for image, label in zip(split.images, split.labels, strict=True)
    }


def test_classes_are_the_sorted_subfolders(tmp_path: Path) -> None:
    dataset = open_folder(draw_classes(tmp_path / "bugs", names=("cat", "ant", "bee")))
    assert (dataset.name, dataset.source, dataset.labels) == ("bugs", str(tmp_path / "bugs"), ("ant", "bee", "cat"))
    assert np.bincount(dataset.train.labels).tolist() == [4, 4, 4]
    assert np.bincount(dataset.test.labels).tolist() == [1, 1, 1]


def test_classes_take_a_models_order_by_their_names(tmp_path: Path) -> None:
    draw_classes(tmp_path, names=("ant", "bee", "cat"))
    data = open_folder(tmp_path)
    turned = data.ordered_as(("cat", "ant", "bee"))
    assert turned.labels == ("cat", "ant", "bee")
    assert turned.train.labels.tolist() == [{0: 1, 1: 2, 2: 0}[label] for label in data.train.labels.tolist()]
    assert turned.test.labels.tolist() == [{0: 1, 1: 2, 2: 0}[label] for label in data.test.labels.tolist()]
    assert turned.sha256 != data.sha256
    assert data.ordered_as(("ant", "bee", "dog")) is data.ordered_as(data.labels) is data


def test_every_picture_arrives_once_with_its_label(tmp_path: Path) -> None:
    """Pictures of the right size come through untouched, so that their bytes name them."""
    root = draw_classes(tmp_path / "bugs")
    expected = {
        (decode(path).tobytes(), label) for label, name in enumerate(("ant", "bee")) for path in (root / name).iterdir()
    }
    assert len(expected) == 10
    assert _as_set(open_folder(root)) == expected


def test_pictures_become_what_predict_makes_of_them(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs", mode="RGB")
    dataset = open_folder(root, image_size=(6, 10))
    assert dataset.preparation == Preparation("resize", 6, 10, 3)
    prepared = {(prepare(decode(path), dataset.preparation).tobytes(), 0) for path in (root / "ant").iterdir()}
    assert prepared <= _as_set(dataset)


def test_the_split_is_seeded(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs", each=10)
    first, again, other = (open_folder(root, seed=seed) for seed in (0, 0, 1))
    assert first.sha256 == again.sha256 != other.sha256
    assert _as_set(first) == _as_set(other)
    assert len(open_folder(root, val_split=0.5).test) == 10


def test_files_of_any_type_size_and_colour_go_together(tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    modes = {"a.png": "LA", "b.JPG": "RGB", "c.bmp": "L", "d.webp": "RGBA", "e.tif": "RGB", "f.gif": "L"}
    for position, (name, mode) in enumerate(modes.items()):
        for folder in ("ant", "bee"):
            draw_picture(root / folder / name, position, mode, size=(5 + 7 * position, 40 - 5 * position))
    dataset = open_dataset(DatasetSpec(str(root)))
    assert dataset.train.images.shape == (10, 64, 64, 3)
    assert dataset.test.images.shape == (2, 64, 64, 3)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_pictures_stay_grey(tmp_path: Path, mode: str) -> None:
    assert open_folder(draw_classes(tmp_path / "bugs", mode=mode)).train.images.shape[3] == 1


def test_grey_stored_as_rgb_is_grey(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs")
    expected = open_folder(root)
    for path in root.rglob("*.png"):
        Image.open(path).convert("RGB").save(path)
    assert open_folder(root).sha256 == expected.sha256


def test_one_picture_in_colour_makes_all_of_them_rgb(tmp_path: Path) -> None:
    """Whenever it comes up, the result is the one that asking for 3 channels gives."""
    root = draw_classes(tmp_path / "bugs", each=6)
    for name in ("0.png", "3.png", "5.png"):
        draw_picture(root / "bee" / name, 7, "RGB", size=(30, 20))
        found, asked = open_folder(root, image_size=(8, 8)), open_folder(root, image_size=(8, 8), channels=3)
        assert found.train.images.shape[3] == 3
        assert found.sha256 == asked.sha256
        draw_picture(root / "bee" / name, 7)


def test_colour_can_be_dropped(tmp_path: Path) -> None:
    dataset = open_folder(draw_classes(tmp_path / "bugs", mode="RGB"), channels=1)
    assert dataset.train.images.shape[3] == dataset.preparation.channels == 1


def test_a_recorded_spec_opens_the_same_data(tmp_path: Path) -> None:
    dataset = open_dataset(DatasetSpec(str(draw_classes(tmp_path / "bugs"))))
    assert (dataset.spec.image_size, dataset.spec.channels, dataset.spec.preparation) == ((64, 64), 1, "resize")
    assert open_dataset(DatasetSpec.from_dict(dataset.as_dict()["spec"])).sha256 == dataset.sha256


def test_digits_are_centred_as_in_mnist(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for index in range(2):
            pixels = np.full((60, 80), 255, np.uint8)
            pixels[10:40, 5 + index : 15] = 0
            (tmp_path / "ink" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / "ink" / name / f"{index}.png")
    dataset = open_dataset(DatasetSpec(str(tmp_path / "ink"), preparation="digit"))
    assert dataset.preparation.as_dict()["kind"] == "digit"
    assert dataset.train.images.shape == (2, 28, 28, 1)
    assert dataset.train.images[0, 14, 14, 0] > 200
    assert dataset.train.images[0, 0, 0, 0] == 0


def test_hidden_files_are_ignored_and_others_mentioned(tmp_path: Path) -> None:
    root, listener = draw_classes(tmp_path / "bugs"), Listener()
    expected = open_folder(root).sha256
    (root / ".cache").mkdir()
    (root / "__MACOSX" / "ant").mkdir(parents=True)
    (root / "__MACOSX" / "ant" / "._0.png").write_bytes(b"x")
    (root / "ant" / "Thumbs.db").write_bytes(b"x")
    (root / "ant" / ".DS_Store").write_bytes(b"x")
    (root / "ant" / "._0.png").write_bytes(b"x")
    assert open_folder(root, listener).sha256 == expected
    assert listener.words == []
    (root / "bee" / "notes.txt").write_text("x")
    (root / "README.md").write_text("x")
    assert open_folder(root, listener).sha256 == expected
    assert listener.words == [f"{root}: 2 files are not pictures and were ignored, such as {root / 'README.md'}."]


def test_a_bar_counts_the_pictures_and_the_default_size_is_said(tmp_path: Path) -> None:
    listener = Listener()
    open_dataset(DatasetSpec(str(draw_classes(tmp_path / "bugs")), fit="crop"), progress=listener)
    assert listener.bars == {"Reading pictures": [10, 10]}
    assert listener.words == ["Pictures become 64x64, the default image size."]


def test_a_damaged_picture_is_refused_by_name(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs")
    path = root / "bee" / "3.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(
        DatasetError, match=r"Every picture must be usable. .*bee/3.png: .* Or remove the file"
    ) as caught:
        open_folder(root)
    assert str(caught.value).count(str(path)) == 1


def test_a_picture_without_a_digit_is_refused_by_name(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs")
    Image.new("L", (40, 40), 255).save(root / "ant" / "4.png")
    with pytest.raises(DatasetError, match=r"Every picture must be usable. .*ant/4.png: .* Or remove the file"):
        open_dataset(DatasetSpec(str(root), preparation="digit"))


def test_an_empty_class_is_refused_by_name(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs")
    (root / "cat").mkdir()
    (root / "cat" / "notes.txt").write_text("x")
    with pytest.raises(
        DatasetError, match=r"bugs/cat: pictures \(.*\.png.*\) are required. Received: none. Add at least"
    ):
        open_folder(root)


def test_a_class_of_one_picture_cannot_be_split(tmp_path: Path) -> None:
    root = draw_classes(tmp_path / "bugs")
    draw_picture(root / "cat" / "0.png", 0)
    with pytest.raises(
        DatasetError, match=r"bugs: each class requires at least 2 images, .* Received: 1 of class 'cat'"
    ):
        open_folder(root)


@pytest.mark.parametrize("names", [(), ("ant",)])
def test_fewer_than_two_classes_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    root = draw_classes(tmp_path / "bugs", names=names)
    draw_picture(root / "0.png", 0)
    message = rf"bugs: at least 2 subfolders, .* Received: {len(names)} subfolders and 1 files. Sort pictures into"
    with pytest.raises(DatasetError, match=message):
        open_folder(root)


def test_train_and_test_must_have_the_same_classes(tmp_path: Path) -> None:
    draw_classes(tmp_path / "train", names=("ant", "bee"))
    draw_classes(tmp_path / "test", names=("ant", "cat", "dog"))
    message = r"must have the same classes. Received: only in train: bee; only in test: cat, dog. Add what is missing"
    with pytest.raises(DatasetError, match=message):
        open_folder(tmp_path)


def test_images_beyond_the_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        if isinstance(shape, tuple):
            raise MemoryError
        return np.zeros(shape, dtype)

    root = draw_classes(tmp_path / "bugs")
    monkeypatch.setattr("edgeconv.datasets.folders.np.empty", full)
    with pytest.raises(
        DatasetError, match=r"Images must fit into the memory. Received: 10 of \(9, 12, 1\).* Choose a smaller"
    ):
        open_folder(root)
