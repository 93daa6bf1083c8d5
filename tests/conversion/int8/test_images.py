from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.conversion.int8.calibration import read_calibration
from edgeconv.conversion.int8.images import draw_calibration
from edgeconv.conversion.keras.ports import Port
from edgeconv.datasets import Split
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.manifest_blocks import Calibration
from edgeconv.preparation import Preparation

PIXELS = (Port("image", "uint8", (4, 4, 1)),)
AS_IS = Preparation("resize", 4, 4, 1)


@pytest.fixture
def train() -> Split:
    """Return 600 images whose first pixels count them, in three classes of 300, 200 and 100."""
    labels = np.repeat(np.arange(3), [300, 200, 100])
    images = np.zeros((600, 4, 4, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0], images[:, 0, 2, 0] = np.arange(600) // 256, np.arange(600) % 256, labels
    return Split(images, labels.astype(np.int64))


@pytest.mark.parametrize(
    ("size", "counts"),
    [(3, [1, 1, 1]), (30, [10, 10, 10]), (31, [11, 10, 10]), (450, [175, 175, 100]), (9999, [300, 200, 100])],
)
def test_classes_are_balanced_as_far_as_they_reach(train: Split, size: int, counts: list[int]) -> None:
    drawn = draw_calibration(train, dataset="d", size=size, seed=0)
    images = drawn.first(9999)["image"]
    assert np.bincount(images[:, 0, 2, 0], minlength=3).tolist() == counts
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images) == drawn.count
    np.testing.assert_array_equal(drawn.labels, images[:, 0, 2, 0])


def test_the_seed_decides(train: Split) -> None:
    first, again, other = (draw_calibration(train, dataset="d", size=60, seed=seed) for seed in (1, 1, 2))
    assert first.record == again.record
    assert first.record.sha256 != other.record.sha256
    assert first.record == Calibration("d", "train", 60, 1, first.record.sha256)


def test_what_a_seed_draws_stays_the_same(train: Split) -> None:
    """Files that were exported before can be made again."""
    record = draw_calibration(train, dataset="d", size=60, seed=0).record
    assert record.sha256 == "b4327b96954a572f0803d9f852c163875e5387c8fdcbc203b041753796b48b2e"


@pytest.mark.parametrize(("size", "start"), [(50, 0), (7, 0), (1, 0), (50, 100), (64, 131), (1000, 0)])
def test_every_image_comes_once_and_again_in_each_round(train: Split, size: int, start: int) -> None:
    drawn = draw_calibration(train, dataset="d", size=201, seed=0)
    whole = drawn.first(201)["image"]
    for _ in range(2):
        batches = [batch["image"] for batch in drawn.batches(size, start=start)]
        np.testing.assert_array_equal(np.concatenate(batches), whole[start:])
        assert {len(batch) for batch in batches[:-1]} <= {size}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_is_read_in_rows_as_it_would_be_whole(save: object, train: Split, tmp_path: Path) -> None:
    save(tmp_path / "c.npz", other=np.zeros((600, 2)), images=train.images, labels=train.labels)  # type: ignore[operator]
    read = read_calibration(tmp_path / "c.npz", PIXELS, None, size=100, seed=3)
    chosen = np.sort(np.random.default_rng(3).permutation(600)[:100])
    np.testing.assert_array_equal(read.first(100)["image"], train.images[chosen])
    np.testing.assert_array_equal(
        np.concatenate([batch["image"] for batch in read.batches(30, start=37)]), train.images[chosen][37:]
    )
    np.testing.assert_array_equal(read.labels, train.labels[chosen])
    assert (read.count, read.shapes, read.dtypes) == (100, {"image": (4, 4, 1)}, {"image": "uint8"})
    assert read.record.dataset == "c.npz"


def test_an_npz_of_columns_and_without_channels_is_read_too(train: Split, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", np.asfortranarray(train.images[..., 0]))
    read = read_calibration(tmp_path / "c.npz", PIXELS, None, size=600, seed=0)
    np.testing.assert_array_equal(read.first(600)["image"], train.images)


def test_whole_numbers_as_floats_become_pixels(train: Split, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", train.images.astype(np.float64))
    assert read_calibration(tmp_path / "c.npz", PIXELS, None, size=600, seed=0).dtypes == {"image": "uint8"}


def _write(folder: Path, train: Split, *, classes: bool) -> None:
    for index, (image, label) in enumerate(zip(train.images[::10], train.labels[::10], strict=True)):
        place = folder / f"c{label}" if classes else folder
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(place / f"{index:03}.png")


def test_a_folder_is_decoded_as_it_is_gone_over(train: Split, tmp_path: Path) -> None:
    _write(tmp_path / "p", train, classes=True)
    read = read_calibration(tmp_path / "p", PIXELS, AS_IS, size=40, seed=5)
    chosen = np.sort(np.random.default_rng(5).permutation(60)[:40])
    np.testing.assert_array_equal(read.first(40)["image"], train.images[::10][chosen])
    np.testing.assert_array_equal(read.labels, train.labels[::10][chosen])
    for path in (tmp_path / "p").rglob("*.png"):
        path.unlink()
    with pytest.raises(DatasetError, match=r"Every picture must be usable. .*no such file"):
        next(read.batches(1))


def test_a_folder_without_classes_has_no_labels(train: Split, tmp_path: Path) -> None:
    _write(tmp_path, train, classes=False)
    assert read_calibration(tmp_path, PIXELS, AS_IS, size=40, seed=5).labels is None


def test_what_no_one_sees_is_no_calibration_image(train: Split, tmp_path: Path) -> None:
    _write(tmp_path, train, classes=True)
    expected = read_calibration(tmp_path, PIXELS, AS_IS, size=60, seed=5)
    for name in ("__MACOSX/c0/._000.png", "c0/._000.png", ".cache/000.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"no picture")
    read = read_calibration(tmp_path, PIXELS, AS_IS, size=60, seed=5)
    np.testing.assert_array_equal(read.first(60)["image"], expected.first(60)["image"])
    np.testing.assert_array_equal(read.labels, expected.labels)


@pytest.mark.parametrize(("pattern", "count"), [("p/c?/0[0-2]*.png", 30), ("p/c2", 10), ("p/c0/000.png", 1)])
def test_a_pattern_or_a_picture_will_do(train: Split, tmp_path: Path, pattern: str, count: int) -> None:
    _write(tmp_path / "p", train, classes=True)
    read = read_calibration(f"{tmp_path}/{pattern}", PIXELS, AS_IS, size=60, seed=5)
    numbers = {"p/c?/0[0-2]*.png": range(30), "p/c2": range(50, 60), "p/c0/000.png": range(1)}[pattern]
    np.testing.assert_array_equal(read.first(60)["image"], train.images[::10][list(numbers)])
    assert (read.count, read.labels) == (count, None)


@pytest.mark.parametrize("place", ["p/*.png", "absent.jpg", ""])
def test_pictures_that_are_not_there(tmp_path: Path, place: str) -> None:
    with pytest.raises(DatasetError, match=r"must be a picture or hold some\. Received: none with the endings \.bmp"):
        read_calibration(tmp_path / place, PIXELS, AS_IS, size=60, seed=5)


def test_pictures_without_a_preparation_are_refused(train: Split, tmp_path: Path) -> None:
    _write(tmp_path, train, classes=False)
    with pytest.raises(ConfigError, match="requires a model that states how pixels are scaled"):
        read_calibration(tmp_path, PIXELS, None, size=4, seed=0)


def test_pictures_for_a_model_of_any_size_need_one(train: Split, tmp_path: Path) -> None:
    _write(tmp_path, train, classes=False)
    with pytest.raises(ConfigError, match=r"takes any, \(None, None, 1\)\. State it with `--image-size HxW`"):
        read_calibration(tmp_path, (Port("image", "uint8", (None, None, 1)),), None, size=4, seed=0)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"images": np.zeros((3, 8, 8, 1), np.uint8)}, r"`image`, uint8 \('batch', 4, 4, 1\). Received: uint8 \(3, 8,"),
        ({"a": np.zeros((3, 4, 4, 1)), "b": np.zeros(2)}, r"the same number of rows.*a \(3, 4, 4, 1\), b \(2,\)"),
        ({"images": np.full((3, 4, 4, 1), 0.5)}, "float64 from 0.5 to 0.5, which that cannot hold"),
        ({"images": np.full((3, 4, 4, 1), 256)}, "int64 from 256 to 256, which that cannot hold"),
        ({"images": np.full((3, 4, 4, 1), np.nan)}, "which that cannot hold"),
        ({"images": np.array([{}] * 3, dtype=object)}, "must be an .npz of arrays. Received: Object arrays"),
        ({}, "Received: no arrays"),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict[str, np.ndarray], problem: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(ConfigError, match=problem):
        read_calibration(tmp_path / "c.npz", PIXELS, None, size=3, seed=0)


def test_a_row_that_is_not_drawn_must_fit_too(tmp_path: Path) -> None:
    images = np.zeros((50, 4, 4, 1))
    images[17] = 0.25
    np.savez(tmp_path / "c.npz", images)
    for seed in range(3):
        with pytest.raises(ConfigError, match=r"from 0 to 0\.25, which that cannot hold"):
            read_calibration(tmp_path / "c.npz", PIXELS, None, size=1, seed=seed)


def test_a_damaged_file_is_refused(train: Split, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "c.npz", np.random.default_rng(0).integers(0, 256, (600, 4, 4, 1), np.uint8))
    data = bytearray((tmp_path / "c.npz").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "c.npz").write_bytes(data)
    with pytest.raises(ConfigError, match=r"must be an .npz of arrays"):
        read_calibration(tmp_path / "c.npz", PIXELS, None, size=600, seed=0)


def test_reading_tells_how_far_it_is(train: Split, tmp_path: Path) -> None:
    from contextlib import contextmanager

    steps: list[tuple[str, int | None, int]] = []

    class Listener:
        def say(self, message: str) -> None:
            raise AssertionError(message)

        @contextmanager
        def bar(self, description: str, total: int | None):  # type: ignore[no-untyped-def]
            yield lambda count, _: steps.append((description, total, count))

    _write(tmp_path, train, classes=False)
    read_calibration(tmp_path, PIXELS, AS_IS, size=40, seed=5, progress=Listener())
    assert steps == [("Reading pictures", 40, 1)] * 40
