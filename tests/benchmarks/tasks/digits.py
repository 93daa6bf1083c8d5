"""MNIST and Fashion-MNIST in three parts, and digits strewn over larger pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets import DatasetSpec, open_dataset
from tests.benchmarks.tasks.network import Data, Samples

VALIDATION = 2000
STREWN = 56
MOST = 3


def images_of(name: str, *, train: int = 50_000, test: int = 10_000) -> Data:
    """Return images, uint8, (n, 28, 28, 1), and their classes; validation is the end of the training set."""
    data = open_dataset(DatasetSpec(name))
    x, y = data.train.images, data.train.labels
    return Data(
        Samples(x[:train], y[:train]),
        Samples(x[-VALIDATION:], y[-VALIDATION:]),
        Samples(data.test.images[:test], data.test.labels[:test]),
    )


def strewn() -> Data:
    """Return pictures of one to three digits, uint8, (n, 56, 56, 1), and which digits are there, 0 and 1, (n, 10)."""
    digits = images_of("mnist")
    return Data(_strew(digits.train, 12_000, 1), _strew(digits.validation, 1000, 2), _strew(digits.test, 3000, 3))


def _strew(digits: Samples, count: int, seed: int) -> Samples:
    generator = np.random.default_rng(seed)
    pictures = np.zeros((count, STREWN, STREWN, 1), np.uint8)
    tags = np.zeros((count, 10), np.float32)
    for picture, tag in zip(pictures, tags, strict=True):
        # Each in a quarter of its own, shifted a little.
        for quarter in generator.permutation(4)[: generator.integers(1, MOST + 1)]:
            chosen = generator.integers(len(digits.x))
            row, column = np.array(divmod(int(quarter), 2)) * 28 + generator.integers(-3, 4, 2)
            _put(picture, digits.x[chosen], int(row), int(column))
            tag[digits.y[chosen]] = 1.0
    return Samples(pictures, tags)


def _put(picture: NDArray[np.uint8], digit: NDArray[np.uint8], row: int, column: int) -> None:
    row, column = (min(max(place, 0), STREWN - 28) for place in (row, column))
    part = picture[row : row + 28, column : column + 28]
    np.maximum(part, digit, out=part)
