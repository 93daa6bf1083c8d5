from __future__ import annotations

import numpy as np
import pytest

from edgeconv.conversion.int8.health import PIXELS, check_health
from edgeconv.datasets import Split
from edgeconv.errors import DatasetError
from edgeconv.progress import SILENT
from tests.conversion.int8.networks import stream
from tests.conversion.randomness import RNG

GOOD = RNG.integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)


class Listener:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.say = self.said.append
        self.bar = SILENT.bar


def _said(images: np.ndarray, labels: np.ndarray | None = None, test: Split | None = None) -> list[str]:
    listener = Listener()
    check_health(stream(images, labels), value_range=PIXELS, test=test, progress=listener)
    return listener.said


def _test_split(images: np.ndarray) -> Split:
    return Split(images, np.zeros(len(images), np.int64))


def test_nothing_is_said_of_good_images() -> None:
    others = RNG.integers(0, 256, (40, 6, 6, 1), dtype=np.uint8)
    assert _said(GOOD, np.arange(40) % 3, _test_split(others)) == []


@pytest.mark.parametrize(
    ("images", "value_range", "problem"),
    [
        (GOOD // 128, PIXELS, "values from 0 to 255. Received: 0 to 1. Scale them"),
        (GOOD.astype(np.float32), (0.0, 1.0), "values from 0 to 1. Received: 0 to 255"),
        (GOOD.astype(np.float32) / 255, (-1.0, 0.0), "values from -1 to 0"),
        (GOOD.astype(np.float32) / 127.5 - 1, (0.0, 1.0), "values from 0 to 1. Received: -1 to 1"),
        (np.where(GOOD < 9, np.nan, GOOD).astype(np.float32), None, "must be finite"),
        (np.where(GOOD < 9, np.inf, GOOD).astype(np.float32), None, "must be finite"),
        (np.where(np.arange(40).reshape(-1, 1, 1, 1) < 21, np.uint8(7), GOOD), PIXELS, "21 of 40 with one value"),
    ],
)
def test_images_that_cannot_be_right_are_refused(
    images: np.ndarray, value_range: tuple[float, float] | None, problem: str
) -> None:
    with pytest.raises(DatasetError, match=problem):
        check_health(stream(images), value_range=value_range)


def test_floats_of_a_range_that_nobody_knows_are_taken() -> None:
    check_health(stream(RNG.normal(size=(40, 6, 6, 1)).astype(np.float32) * 1e3), value_range=None)


@pytest.mark.parametrize(
    ("images", "labels", "warning"),
    [
        (GOOD // 8, None, "use 0 to 31 of 0 to 255"),
        (np.where(np.arange(40).reshape(-1, 1, 1, 1) < 3, np.uint8(7), GOOD), None, "3 of 40 calibration images have"),
        (np.tile(GOOD[:10], (4, 1, 1, 1)), None, "only 10 of 40 calibration images are different"),
        (GOOD, np.full(40, 2), "all of one class"),
    ],
)
def test_images_that_may_be_wrong_are_told(images: np.ndarray, labels: np.ndarray | None, warning: str) -> None:
    (said,) = _said(images, labels)
    assert said.startswith("Warning: ")
    assert warning in said


def test_images_from_the_test_split_are_found() -> None:
    others = RNG.integers(0, 256, (30, 6, 6, 1), dtype=np.uint8)
    (said,) = _said(GOOD, test=_test_split(np.concatenate([others, GOOD[5:8]])))
    assert said == "Warning: 3 of 40 calibration images are in the test split too."
    with pytest.raises(DatasetError, match=r"must not be test images\. Received: 25 of 40 from the test split"):
        _said(GOOD, test=_test_split(np.concatenate([others, GOOD[:25]])))


def test_a_test_split_of_another_size_holds_none_of_them() -> None:
    assert _said(GOOD, test=_test_split(np.zeros((3, 8, 8, 1), np.uint8))) == []
