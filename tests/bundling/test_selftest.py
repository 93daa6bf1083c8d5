"""The data of a self-test, and the pictures in it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")

from edgeconv.bundling import collect
from edgeconv.bundling.selftest import Limit, SelftestSample, encode
from edgeconv.pictures.digits import center_digit
from edgeconv.pictures.drawing import draw_pictures
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.files import read_files
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import reference_model


def test_the_self_test_is_laid_out_as_documented() -> None:
    """Read with struct and numpy only, by the layout in the docstring of `edgeconv.bundling.selftest`."""
    random = np.random.default_rng(0)
    types = {1: np.float32, 2: np.uint8, 7: np.int64, 9: np.bool_, 10: np.float16}
    samples = [
        SelftestSample(
            (random.integers(0, 256, (3, 5, channels), np.uint8), np.array([[7, -1]])),
            (random.random((1, 7), np.float32), np.array([True, False, True]), np.ones((1, 1), np.float16)),
            label,
        )
        for channels, label in [(1, 6), (3, -1), (4, 0)]
    ]
    data = encode(samples, [Limit(0.02, 0.25, 7), Limit(1.0), Limit(0.5)], 0xFEDCBA98)
    assert struct.unpack_from("<8s4I", data) == (b"EDGECONV", 3, 0xFEDCBA98, 3, 3)
    assert struct.unpack_from("<2dq2dq2dq", data, 24) == (0.02, 0.25, 7, 1.0, 0.0, 1, 0.5, 0.0, 1)
    offset = 96
    for sample in samples:
        assert struct.unpack_from("<q", data, offset) == (sample.label,)
        offset += 8
        for array in (*sample.inputs, *sample.outputs):
            code, axes = struct.unpack_from("<2I", data, offset)
            shape = struct.unpack_from(f"<{axes}q", data, offset + 8)
            offset += 8 + 8 * axes
            found = np.frombuffer(data, types[code], array.size, offset).reshape(shape)
            np.testing.assert_array_equal(found, array)
            assert found.dtype == array.dtype
            padding = -array.nbytes % 8
            assert data[offset + array.nbytes : offset + array.nbytes + padding] == bytes(padding)
            offset += array.nbytes + padding
    assert offset == len(data)


def test_numbers_are_little_endian_and_by_rows_whatever_their_order_in_memory() -> None:
    pixels = np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    sample = SelftestSample((pixels,), (np.array([[1.0]], ">f4"),))
    data = encode([sample], [Limit(0.02)], 0)
    assert bytes(range(24)) in data
    assert np.array([1.0], "<f4").tobytes() in data[-8:]


def test_a_large_model_has_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MOST_BYTES", 3000)
    samples = [SelftestSample((np.zeros(size, np.uint8),), ()) for size in (1000, 1000, 1000, 1000)]
    assert len(collect._few(iter(samples))) == 3
    monkeypatch.setattr(collect, "MOST_BYTES", 10)
    assert len(collect._few(iter(samples))) == 2


@pytest.fixture(scope="module")
def golden() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(Samples.load((reference_model() or Path()) / "samples.npz").images, np.uint8)


@pytest.fixture(scope="module")
def digit() -> Preparation:
    return read_files(reference_model() or Path()).manifest.preprocess or Preparation("digit", 28, 28, 1)


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
