from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures import decoding
from edgeconv.pictures.decoding import decode_sized
from edgeconv.pictures.drafting import least_size
from edgeconv.preparation import Preparation

HEIGHT, WIDTH = 96, 160


def encoded(file_type: str = "JPEG", orientation: int = 1, **options: Any) -> bytes:
    """Return a file of a smooth picture, 160 x 96 pixels as they lie in it."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(np.stack([y * 2, x, 255 - x], axis=-1).astype(np.uint8)).save(file, file_type, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("least", "factor"), [((12, 20), 8), ((13, 20), 4), ((24, 40), 4), ((24, 41), 2), ((48, 80), 2), ((49, 80), 1)]
)
def test_a_draft_is_as_small_as_it_may_be(least: tuple[int, int], factor: int) -> None:
    read = decode_sized(encoded(), least=least)
    assert read.size == (HEIGHT, WIDTH)
    assert read.pixels.shape == (HEIGHT // factor, WIDTH // factor, 3)
    averaged = np.asarray(Image.fromarray(decode_sized(encoded()).pixels).reduce(factor), np.float32)
    assert np.abs(read.pixels - averaged).mean() < 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_its_sides_are_those_of_the_picture_upright(orientation: int) -> None:
    read = decode_sized(encoded(orientation=orientation), least=(40, 24))
    lies = orientation >= decoding.ON_ITS_SIDE
    assert read.size == ((WIDTH, HEIGHT) if lies else (HEIGHT, WIDTH))
    assert read.pixels.shape[:2] == ((WIDTH // 4, HEIGHT // 4) if lies else (HEIGHT // 2, WIDTH // 2))


@pytest.mark.parametrize("file", [encoded("PNG"), encoded(progressive=True)], ids=["png", "progressive"])
def test_what_gains_nothing_stays_as_it_is(file: bytes) -> None:
    drafted, whole = decode_sized(file, least=(12, 20)), decode_sized(file)
    assert np.array_equal(drafted.pixels, whole.pixels)
    assert drafted.size == whole.size


def test_a_draft_of_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    with pytest.raises(ImageError, match=r"<bytes>: .* Received: 160x96\. Scale it down first"):
        decode_sized(encoded(), least=(12, 20))


def test_a_draft_keeps_twice_what_the_preparation_reads() -> None:
    assert least_size(Preparation("resize", 96, 128, 3)) == (192, 256)
    assert least_size(Preparation("digit", 28, 28, 1)) == (640, 640)
    assert least_size(None) is None
