"""Whatever holds a picture gives its pixels, and what holds none is refused in one line."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import decode
from edgeconv.pictures.reading import read_picture

RGBA = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)

GREY = ["1", "L", "I", "F", "I;16", "I;16L", "I;16B"]
COLOURS = ["P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"]
WITH_ALPHA = ["LA", "La", "PA", "RGBA", "RGBa"]


@pytest.mark.parametrize(
    "hold", [Path, str, Path.read_bytes, lambda path: bytearray(path.read_bytes()), lambda path: path.open("rb")]
)
def test_a_file_in_any_hand_gives_the_same_pixels(seven: Path, hold: Callable[[Path], Any]) -> None:
    np.testing.assert_array_equal(read_picture(hold(seven)), decode(seven))


def test_bytes_are_taken_from_memory_and_from_where_a_file_stands(seven: Path) -> None:
    content = seven.read_bytes()
    np.testing.assert_array_equal(read_picture(memoryview(b"xx" + content)[2:]), decode(seven))
    file = io.BytesIO(b"xx" + content)
    file.seek(2)
    np.testing.assert_array_equal(read_picture(file), decode(seven))


@pytest.mark.parametrize(("modes", "channels"), [(GREY, 1), (COLOURS, 3), (WITH_ALPHA, 4)])
def test_an_image_of_pillow_of_any_mode(modes: list[str], channels: int) -> None:
    for mode in modes:
        pixels = read_picture(Image.new(mode, (7, 5)))
        assert (pixels.shape, pixels.dtype) == ((5, 7, channels), np.uint8), mode


def test_an_image_of_pillow_gives_its_pixels_upright_and_stays_as_it_is(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_picture(Image.fromarray(RGBA)), RGBA)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGBA).save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as image:
        pixels = read_picture(image)
        assert image.size == (7, 5)
    np.testing.assert_array_equal(pixels, np.rot90(RGBA, -1))


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[..., 0],
        lambda array: array[..., :1],
        lambda array: array[..., 2::-1],
        lambda array: array[::-2, ::3, :3],
        lambda array: np.asfortranarray(array),
        lambda array: array.transpose(1, 0, 2),
    ],
)
def test_an_array_of_any_strides_that_is_read_only(view: Callable[[np.ndarray], np.ndarray]) -> None:
    array = view(RGBA)
    array.flags.writeable = False
    pixels = read_picture(array)
    np.testing.assert_array_equal(pixels, array if array.ndim == 3 else array[..., None])
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            RGBA / 255,
            r"Received: float64 \(5, 7, 4\)\. Give raw pixels 0-255 with `\(x \* 255\)\.round\(\)\.astype",
        ),
        (RGBA[None], r"Received: uint8 \(1, 5, 7, 4\)\. Give one picture at a time, or many to `predict_many`"),
        (RGBA.transpose(2, 0, 1)[:3], r"Received: uint8 \(3, 5, 7\)\. Put the channels last"),
        (RGBA[:0], r"Received: uint8 \(0, 7, 4\)"),
        (np.uint8(3)[None], r"Received: uint8 \(1,\)"),
        (["a.png"], r"Received: list\. Give many pictures to `predict_many`"),
        (iter(["a.png"]), r"Received: list_iterator\. Give many pictures to `predict_many`"),
        (None, r"Received: NoneType\. Give one of these"),
        (7, r"Received: int\. Give one of these"),
        (np.uint8(7), r"Received: uint8\. Convert it with `numpy\.asarray`"),
        (io.StringIO("text"), r"<file>: a file opened for reading bytes is required\. Received: one that reads str\."),
        (io.BytesIO(), r"<bytes>: a picture is required\. Received: an empty file"),
        (b"", r"<bytes>: a picture is required\. Received: an empty file"),
        (memoryview(b"nothing"), r"<bytes>: a PNG, JPEG"),
        (Image.new("L", (0, 3)), r"<image>: a picture is required\. Received: an image of 0x3 pixels"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_line(wrong: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        read_picture(wrong)
    assert "\n" not in str(caught.value)


def test_files_that_do_not_give_bytes(tmp_path: Path, seven: Path) -> None:
    closed = seven.open("rb")
    closed.close()
    for file in (closed, seven.open(encoding="utf-8"), (tmp_path / "out").open("wb")):
        with pytest.raises(ImageError, match=r"opened for reading bytes is required\. .* Open it with mode 'rb'"):
            read_picture(file)


def test_an_image_of_pillow_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeconv.pictures.decoding.MAX_PIXELS", 10)
    with pytest.raises(ImageError, match=r"<image>: a picture of at most .* Received: 4x3"):
        read_picture(Image.new("L", (4, 3)))


def test_an_image_that_is_cut_short_and_not_loaded_yet_is_refused() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), 9).save(file, "PNG", compress_level=0)
    with pytest.raises(ImageError, match=r"<image>: the picture is damaged or cut short \(.*\)\. Get a new copy\."):
        read_picture(Image.open(io.BytesIO(file.getvalue()[:2000])))
