from __future__ import annotations

import numpy as np
import pytest

from edgeconv.conversion.calibration import BATCH, ImageReader, draw_calibration
from edgeconv.datasets import Split


@pytest.fixture
def train() -> Split:
    """Return 600 images whose first pixels count them, in three classes of 300, 200 and 100."""
    labels = np.repeat(np.arange(3), [300, 200, 100])
    images = np.zeros((600, 4, 4, 1), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0], images[:, 0, 2, 0] = np.arange(600) // 256, np.arange(600) % 256, labels
    return Split(images, labels.astype(np.int64))


def _classes(images: np.ndarray) -> list[int]:
    return np.bincount(images[:, 0, 2, 0], minlength=3).tolist()


@pytest.mark.parametrize(
    ("size", "counts"),
    [(3, [1, 1, 1]), (30, [10, 10, 10]), (31, [11, 10, 10]), (450, [175, 175, 100]), (9999, [300, 200, 100])],
)
def test_classes_are_balanced_as_far_as_they_reach(train: Split, size: int, counts: list[int]) -> None:
    images = draw_calibration(train, dataset="d", size=size, seed=0).images
    assert _classes(images) == counts
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_the_seed_decides(train: Split) -> None:
    first, again, other = (draw_calibration(train, dataset="d", size=60, seed=seed) for seed in (1, 1, 2))
    assert first.record == again.record
    assert first.record["sha256"] != other.record["sha256"]
    assert {key: first.record[key] for key in ("dataset", "split", "size", "seed")} == {
        "dataset": "d",
        "split": "train",
        "size": 60,
        "seed": 1,
    }


def test_the_reader_gives_every_image_once_as_float(train: Split) -> None:
    reader = ImageReader(train.images[: 2 * BATCH + 1], "image")
    batches = []
    while (batch := reader.get_next()) is not None:
        batches.append(batch["image"])
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 1]
    assert batches[0].dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(batches), train.images[: 2 * BATCH + 1])
