from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures import bands, budget, decoding, headers, resampling
from edgeconv.pictures.decoding import decode, decode_sized
from edgeconv.pictures.kernels import resize_as_pillow
from edgeconv.pictures.resampling import resize
from tests.rendering import FILES, encode

HEIGHT, WIDTH = 45, 62


def picture() -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([y * 5, x * 4, 255 - y * 2 - x * 2], axis=-1).astype(np.uint8)


@pytest.fixture
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every picture a large one, which is converted ten rows after another."""
    monkeypatch.setattr(decoding, "ORDINARY_PIXELS", 0)
    monkeypatch.setattr(decoding, "ORDINARY_BYTES", 0)
    monkeypatch.setattr(bands, "BAND_PIXELS", 10 * WIDTH)


@pytest.mark.parametrize(("file_type", "mode"), FILES)
def test_in_bands_every_kind_of_file_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_type: str, mode: str
) -> None:
    file = encode(picture(), file_type, mode, tmp_path / "picture")
    at_once = decode(file)
    monkeypatch.setattr(decoding, "ORDINARY_PIXELS", 0)
    monkeypatch.setattr(decoding, "ORDINARY_BYTES", 0)
    monkeypatch.setattr(bands, "BAND_PIXELS", 10 * WIDTH)
    assert np.array_equal(decode(file), at_once)
    assert np.array_equal(decode(file.read_bytes()), at_once)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_in_bands_pictures_stand_upright(small_bands: None, monkeypatch: pytest.MonkeyPatch, orientation: int) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(picture()).save(file, "PNG", exif=exif)
    in_bands = decode_sized(file.getvalue())
    monkeypatch.setattr(decoding, "ORDINARY_PIXELS", 2**22)
    monkeypatch.setattr(decoding, "ORDINARY_BYTES", 2**22)
    at_once = decode_sized(file.getvalue())
    assert in_bands.size == at_once.size == at_once.pixels.shape[:2]
    assert np.array_equal(in_bands.pixels, at_once.pixels)


@pytest.mark.parametrize("file_type", ["png", "jpg", "tiff"])
def test_what_does_not_fit_is_scaled_down_and_its_size_told(
    small_bands: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_type: str
) -> None:
    file = encode(picture(), file_type, "RGB", tmp_path / "picture")
    monkeypatch.setattr(budget, "_BAND_BYTES", 0)
    monkeypatch.setattr(budget, "PICTURE_BYTES", HEIGHT * WIDTH * 11 // 2)
    read = decode_sized(file)
    assert read.size == (HEIGHT, WIDTH)
    assert read.pixels.shape[0] in range(HEIGHT // 3, HEIGHT // 2 + 2)
    expected = resize(picture(), *read.pixels.shape[:2])
    assert np.abs(read.pixels - expected)[1:-1, 1:-1].mean() < 5


def test_what_does_not_fit_at_all_is_refused(
    small_bands: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = encode(picture(), "png", "RGB", tmp_path / "picture")
    monkeypatch.setattr(budget, "PICTURE_BYTES", HEIGHT * WIDTH * 4)
    with pytest.raises(
        ImageError, match=r"read with at most 0 MB of memory is required\. Received: 62x45, which takes"
    ):
        decode(file)


@pytest.mark.parametrize(
    ("options", "chunk"), [({"lossless": True}, b"VP8L"), ({}, b"VP8 "), ({"exif": b"x"}, b"VP8X")]
)
def test_the_size_of_a_webp_is_in_its_first_chunk(options: dict[str, object], chunk: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, "WebP", **options)
    head = file.getvalue()[:30]
    assert head[12:16] == chunk
    assert headers.webp_size(head, "picture") == (WIDTH, HEIGHT)


def test_a_riff_file_that_is_no_webp_is_refused() -> None:
    with pytest.raises(ImageError, match=r"a WebP picture is required\. Received: a RIFF file of b'fmt '"):
        decode(b"RIFF" + struct.pack("<I", 100) + b"WAVEfmt " + bytes(100))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_strips_and_chunks_of_columns_make_no_difference(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (70, 900, channels), dtype=np.uint8)
    whole, pillow = resize(picture, 20, 30), resize_as_pillow(picture, 20, 30, "pillow-lanczos3")
    monkeypatch.setattr(resampling, "_CHUNK_BYTES", 2**12)
    monkeypatch.setattr(resampling, "STRIP_BYTES", 2**12)
    monkeypatch.setattr("edgeconv.pictures.kernels._CHUNK_BYTES", 2**12)
    assert resize(picture, 20, 30) == pytest.approx(whole, abs=1e-3)
    assert np.array_equal(resize_as_pillow(picture, 20, 30, "pillow-lanczos3"), pillow)
