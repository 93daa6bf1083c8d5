from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures import budget, decoding
from edgeconv.pictures.colors import luma
from edgeconv.pictures.decoding import ORDINARY_PIXELS, Draft, decode_sized
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
    read = decode_sized(encoded(), draft=Draft(least=least))
    assert read.size == (HEIGHT, WIDTH)
    assert read.pixels.shape == (HEIGHT // factor, WIDTH // factor, 3)
    averaged = np.asarray(Image.fromarray(decode_sized(encoded()).pixels).reduce(factor), np.float32)
    assert np.abs(read.pixels - averaged).mean() < 2


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_its_sides_are_those_of_the_picture_upright(orientation: int) -> None:
    read = decode_sized(encoded(orientation=orientation), draft=Draft(least=(40, 24)))
    lies = orientation >= decoding.ON_ITS_SIDE
    assert read.size == ((WIDTH, HEIGHT) if lies else (HEIGHT, WIDTH))
    assert read.pixels.shape[:2] == ((WIDTH // 4, HEIGHT // 4) if lies else (HEIGHT // 2, WIDTH // 2))


@pytest.mark.parametrize("file", [encoded("PNG"), encoded(progressive=True)], ids=["png", "progressive"])
def test_what_gains_nothing_stays_as_it_is(file: bytes) -> None:
    drafted, whole = decode_sized(file, draft=Draft(least=(12, 20))), decode_sized(file)
    assert np.array_equal(drafted.pixels, whole.pixels)
    assert drafted.size == whole.size


def test_a_draft_of_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    with pytest.raises(ImageError, match=r"<bytes>: .* Received: 160x96\. Scale it down first"):
        decode_sized(encoded(), draft=Draft(least=(12, 20)))


def test_a_draft_keeps_twice_what_the_preparation_reads() -> None:
    assert least_size(Preparation("resize", 96, 128, 3)) == (192, 256)
    assert least_size(Preparation("digit", 28, 28, 1)) == (640, 640)


GREY = Draft(grey=True)


def coloured(kind: str = "YCbCr", orientation: int = 1, **options: Any) -> bytes:
    """Return a JPEG of noise on all colours, a little larger than an ordinary picture."""
    height, width = 1600, ORDINARY_PIXELS // 1600 + 8
    y, x = np.mgrid[:height, :width]
    smooth = 128 + 90 * np.sin(np.stack([y / 90, x / 80, (x + y) / 70], axis=-1))
    noisy = np.clip(smooth + np.random.default_rng(0).integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(noisy).save(file, "JPEG", exif=exif, keep_rgb=kind == "RGB", **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options",
    [{}, {"subsampling": 0, "quality": 95}, {"progressive": True}, {"kind": "RGB"}, {"orientation": 6}],
    ids=["camera", "fine", "progressive", "rgb", "on-its-side"],
)
def test_the_luma_of_a_large_jpeg_is_that_of_its_colours(options: dict[str, Any]) -> None:
    """To the bit, where no colour lies outside RGB."""
    file = coloured(**options)
    read, whole = decode_sized(file, draft=GREY), decode_sized(file)
    assert read.size == whole.size
    assert np.array_equal(read.pixels, luma(whole.pixels))


def test_an_ordinary_picture_and_one_of_greys_stay_as_they_are() -> None:
    assert decode_sized(encoded(), draft=GREY).pixels.shape == (HEIGHT, WIDTH, 3)
    grey = io.BytesIO()
    Image.new("L", (4096, 1032), 9).save(grey, "JPEG")
    assert decode_sized(grey.getvalue(), draft=GREY).pixels.shape == (1032, 4096, 1)


def test_the_luma_of_what_would_take_too_much_memory_is_scaled_down(monkeypatch: pytest.MonkeyPatch) -> None:
    file = coloured()
    monkeypatch.setattr(budget, "_BAND_BYTES", 0)
    monkeypatch.setattr(budget, "PICTURE_BYTES", 6 * ORDINARY_PIXELS)
    read = decode_sized(file, draft=GREY)
    assert read.pixels.shape == ((read.size[0] + 1) // 2, (read.size[1] + 1) // 2, 1)
