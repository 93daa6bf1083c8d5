from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from edgeconv.datasets import Dataset, Split
from edgeconv.training.augmentation import augment
from edgeconv.training.pipeline import InputPipeline, _steps_per_execution

pytestmark = pytest.mark.train


def epoch(data: Dataset, number: int = 0, **options: object) -> tuple[list[np.ndarray], list[np.ndarray]]:
    pipeline = InputPipeline(data.train, data.test, **{"batch_size": 32, "seed": 0, "augmented": False, **options})  # type: ignore[arg-type]
    batches = [(images.numpy(), labels.numpy()) for images, labels in pipeline.epoch(number)]
    assert len(batches) == pipeline.steps
    return [images for images, _ in batches], [labels for _, labels in batches]


def test_an_epoch_has_each_image_once_with_its_label(bars: Dataset) -> None:
    images, labels = epoch(bars)
    assert [len(batch) for batch in images] == [32, 32, 32, 32, 22]
    seen = sorted(
        (image.tobytes(), int(label))
        for image, label in zip(np.concatenate(images), np.concatenate(labels), strict=True)
    )
    assert seen == sorted(
        (image.tobytes(), int(label)) for image, label in zip(bars.train.images, bars.train.labels, strict=True)
    )


@pytest.mark.parametrize("augmented", [False, True])
def test_order_and_augmentation_follow_from_seed_and_epoch(bars: Dataset, augmented: bool) -> None:
    def run(**options: int) -> np.ndarray:
        return np.concatenate(epoch(bars, augmented=augmented, **options)[0])

    np.testing.assert_array_equal(run(number=1), run(number=1))
    assert not np.array_equal(run(number=1), run(number=2))
    assert not np.array_equal(run(number=1), run(number=1, seed=1))


def test_each_batch_is_augmented_in_its_own_way(bars: Dataset) -> None:
    same = Split(np.repeat(bars.train.images[:1], 64, axis=0), np.repeat(bars.train.labels[:1], 64))
    images, _ = epoch(Dataset(**{**vars(bars), "train": same}), augmented=True)
    assert not np.array_equal(images[0], images[1])
    assert len({image.tobytes() for image in images[0]}) > 30


def test_augmentation_moves_a_dot_a_little() -> None:
    """At most the shift, plus what rotation and zoom do to a point at this distance from the centre."""
    images = np.zeros((200, 28, 28, 1), np.uint8)
    images[:, 13:15, 19:21] = 255
    moved = augment(tf.constant(images), tf.constant([1, 2], tf.int64)).numpy().astype(float)[..., 0]
    total = moved.sum(axis=(1, 2))
    rows = (moved.sum(axis=2) * np.arange(28)).sum(axis=1) / total - 13.5
    columns = (moved.sum(axis=1) * np.arange(28)).sum(axis=1) / total - 19.5
    assert 0.5 < np.abs(rows).max() < 0.08 * 28 + 6 * 1.12 * np.sin(np.radians(10)) + 0.1
    assert 0.5 < np.abs(columns).max() < 0.08 * 28 + 6 * 0.12 + 0.1
    assert abs(rows.mean()) < 0.3
    assert abs(columns.mean()) < 0.3


def test_augmentation_leaves_a_flat_image_alone() -> None:
    images = tf.fill([4, 20, 12, 3], tf.constant(77, tf.uint8))
    np.testing.assert_array_equal(augment(images, tf.constant([0, 0], tf.int64)), images)


def test_large_test_images_come_in_small_batches(bars: Dataset) -> None:
    large = Split(np.zeros((4, 700, 700, 1), np.uint8), np.zeros(4, np.int64))
    pipeline = InputPipeline(bars.train, large, batch_size=32, seed=0, augmented=False)
    assert [len(labels) for _, labels in pipeline.test] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("steps", "batch_pixels", "expected"),
    [(938, 64 * 28 * 28, 16), (938, 32 * 28 * 28, 18), (79, 64 * 28 * 28, 1), (938, 64 * 224 * 224, 1)],
)
def test_python_hears_of_an_epoch_often_enough(steps: int, batch_pixels: int, expected: int) -> None:
    """MNIST as it comes, in small batches, five thousand digits, and pictures of a usual size."""
    assert _steps_per_execution(steps, batch_pixels) == expected
