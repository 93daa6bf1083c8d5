"""The held-out split, and the fingerprint of a dataset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeconv.datasets.dataset import Split, fingerprint
from edgeconv.datasets.splitting import stratified_split
from edgeconv.errors import DatasetError


def test_every_class_gives_its_share() -> None:
    labels = np.repeat(np.arange(3), [10, 50, 100])
    train, test = stratified_split(labels, 0.2, seed=0, source="x")
    assert np.bincount(labels[test]).tolist() == [2, 10, 20]
    assert np.bincount(labels[train]).tolist() == [8, 40, 80]


def test_the_two_parts_are_all_images_once() -> None:
    train, test = stratified_split(np.repeat(np.arange(4), 25), 0.3, seed=3, source="x")
    assert sorted([*train, *test]) == list(range(100))


def test_the_parts_mix_the_classes() -> None:
    """A prefix of a split, such as the first thousand images, must not be of one class."""
    labels = np.repeat(np.arange(2), 500)
    train, test = stratified_split(labels, 0.2, seed=0, source="x")
    assert 0.3 < labels[train[:100]].mean() < 0.7
    assert 0.3 < labels[test[:100]].mean() < 0.7


def test_the_split_depends_on_the_seed_alone() -> None:
    labels = np.repeat(np.arange(2), 50)
    first, second, other = (stratified_split(labels, 0.2, seed=seed, source="x")[1] for seed in (0, 0, 1))
    assert first.tolist() == second.tolist()
    assert set(first) != set(other)


def test_the_split_of_a_seed_never_changes() -> None:
    """Records of trained models name a seed; another split would put their training images into their test."""
    _, test = stratified_split(np.repeat(np.arange(2), 10), 0.2, seed=0, source="x")
    assert test.tolist() == [11, 3, 13, 2]


@pytest.mark.parametrize(("share", "expected"), [(0.01, 1), (0.99, 2)])
def test_each_part_gets_at_least_one_image_of_a_class(share: float, expected: int) -> None:
    _, test = stratified_split(np.repeat(np.arange(2), 3), share, seed=0, source="x")
    assert len(test) == 2 * expected


def test_a_class_of_one_image_cannot_be_split() -> None:
    with pytest.raises(
        DatasetError, match=r"photos: each class requires at least 2 images.* Received: 1 of class 'cat'"
    ):
        stratified_split(np.array([0, 1, 1]), 0.2, seed=0, source="photos", names=("cat", "dog"))


def _split(seed: int, count: int) -> Split:
    generator = np.random.PCG64(seed)
    images = (generator.random_raw(count * 16) % 256).astype(np.uint8).reshape(count, 4, 4, 1)
    return Split(images, np.arange(count, dtype=np.int64) % 2)


def test_the_fingerprint_never_changes() -> None:
    assert fingerprint(_split(0, 6), _split(1, 4)) == "520a4d59ffa722fd91f0dceace326d9e46995286a0b9ec626e3987e68f38e9d5"


def test_the_fingerprint_sees_pixels_labels_shapes_and_the_split() -> None:
    train, test = _split(0, 6), _split(1, 4)
    pixel, label = train.images.copy(), train.labels.copy()
    pixel[5, 3, 3, 0] ^= 1
    label[5] ^= 1
    prints = {
        fingerprint(train, test),
        fingerprint(test, train),
        fingerprint(replace(train, images=pixel), test),
        fingerprint(replace(train, labels=label), test),
        fingerprint(replace(train, images=train.images.reshape(6, 2, 8, 1)), test),
    }
    assert len(prints) == 5


def test_the_fingerprint_is_of_the_values_and_not_of_their_layout() -> None:
    train, test = _split(0, 6), _split(1, 4)
    fortran = Split(np.asfortranarray(train.images), train.labels.astype(">i8"))
    assert fingerprint(fortran, test) == fingerprint(train, test)
