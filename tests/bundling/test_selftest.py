"""The data of a self-test, and the pictures in it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling.selftest import SelftestSample, Tolerances, encode
from edgeconv.pictures.digits import center_digit
from edgeconv.pictures.drawing import draw_pictures
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import find_files, reference_model


def test_the_self_test_is_laid_out_as_documented() -> None:
    """Read with struct and numpy only, by the layout in the docstring of `edgeconv.bundling.selftest`."""
    random = np.random.default_rng(0)
    samples = [
        SelftestSample(
            random.integers(0, 256, (*size, channels), np.uint8),
            label,
            random.integers(0, 256, (3, 5, 1), np.uint8),
            random.random(7, np.float32),
        )
        for size, channels, label in [((4, 6), 1, 6), ((1, 1), 3, -1), ((2, 3), 4, 0)]
    ]
    data = encode(samples, Tolerances(1.0, 0.02))
    assert struct.unpack_from("<8s6I", data) == (b"EDGECONV", 1, 3, 7, 3, 5, 1)
    assert struct.unpack_from("<2f", data, 32) == (1.0, pytest.approx(0.02))
    offset = 40
    for sample in samples:
        *shape, label = struct.unpack_from("<3Ii", data, offset)
        assert (tuple(shape), label) == (sample.picture.shape, sample.label)
        offset += 16
        for pixels in (sample.picture, sample.prepared):
            np.testing.assert_array_equal(np.frombuffer(data, np.uint8, pixels.size, offset), pixels.ravel())
            padding = -pixels.size % 4
            assert data[offset + pixels.size : offset + pixels.size + padding] == bytes(padding)
            offset += pixels.size + padding
        np.testing.assert_array_equal(np.frombuffer(data, "<f4", 7, offset), sample.probabilities)
        offset += 28
    assert offset == len(data)


def test_pixels_are_stored_by_rows_whatever_their_order_in_memory() -> None:
    picture = np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    sample = SelftestSample(picture, 0, picture[..., :1], np.ones(1, np.float32))
    assert bytes(range(24)) in encode([sample], Tolerances(1.0, 0.02))


@pytest.fixture(scope="module")
def golden() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Samples.load((reference_model() or Path()) / "samples.npz").images, np.uint8)


@pytest.fixture(scope="module")
def digit() -> Preparation:
    return find_files(reference_model() or Path()).manifest.preprocess or Preparation("digit", 28, 28, 1)


def test_pictures_are_the_same_each_time(golden: Any, digit: Preparation) -> None:
    for first, second in zip(draw_pictures(golden, digit), draw_pictures(golden, digit), strict=True):
        np.testing.assert_array_equal(first, second)


def test_pictures_of_digits_vary_in_size_channels_and_polarity(golden: Any, digit: Preparation) -> None:
    pictures = list(draw_pictures(golden[:16], digit))
    assert len({picture.shape[:2] for picture in pictures}) >= 8
    assert {picture.shape[2] for picture in pictures} == {1, 3, 4}
    assert max(max(picture.shape) for picture in pictures) > 300
    corners_are_bright = {bool(picture[0, 0, 0] > 128) for picture in pictures if picture.shape[2] < 4}
    assert corners_are_bright == {True, False}
    transparent = [picture for picture in pictures if picture.shape[2] == 4]
    assert {bool(picture[0, 0, 0] > 128) for picture in transparent} == {True, False}
    assert all(len(np.unique(picture[..., 3])) > 2 for picture in transparent)


def test_what_is_prepared_of_a_drawn_digit_resembles_it(golden: Any, digit: Preparation) -> None:
    for image, picture in zip(golden[:16], draw_pictures(golden[:16], digit), strict=True):
        prepared = center_digit(picture, digit.height, digit.width, digit.box)
        assert np.corrcoef(prepared.ravel(), image.ravel())[0, 1] > 0.8


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_photographs_vary_and_are_all_resampled(channels: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 10, 16, channels), np.uint8)
    preparation = Preparation("resize", 10, 16, channels)
    pictures = list(draw_pictures(images, preparation))
    assert {picture.shape[2] for picture in pictures} == {1, 3, 4}
    assert len({picture.shape[:2] for picture in pictures}) >= 4
    for picture in pictures:
        assert picture.shape[:2] != (10, 16)
        assert prepare(picture, preparation).shape == (10, 16, channels)
