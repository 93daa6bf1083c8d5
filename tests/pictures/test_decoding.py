from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures import decoding as images
from edgeconv.pictures.decoding import EXTENSIONS, MAX_BYTES, decode
from tests.rendering import FILES, encode

LOSSLESS = [(file_type, mode) for file_type, mode in FILES if file_type not in {"jpg", "webp"}]
HEIGHT, WIDTH = 30, 41


def picture() -> np.ndarray:
    """Colours that differ in every corner; uint8, (30, 41, 3)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([y * 8, x * 6, 255 - y * 4 - x * 3], axis=-1).astype(np.uint8)


def to_bytes(image: Image.Image, file_type: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_type, **options)
    return file.getvalue()


def grey(values: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(values).convert("L"))[..., None]


@pytest.mark.parametrize(("file_type", "mode"), FILES)
def test_every_kind_of_file_is_read(tmp_path, file_type, mode):
    made = decode(encode(picture(), file_type, mode, tmp_path / "picture"))
    channels = {"L": 1, "1": 1, "I;16": 1, "F": 1, "LA": 4, "RGBA": 4}.get(mode, 3)
    assert made.dtype == np.uint8
    assert made.shape == (HEIGHT, WIDTH, channels)
    if mode == "1":
        assert set(np.unique(made)) == {0, 255}
        return
    expected = grey(picture()) if mode in {"L", "I;16", "F", "LA"} else picture()
    worst = 1 if (file_type, mode) in LOSSLESS and mode != "P" else 60
    assert np.abs(made[..., :3].astype(int) - expected).max() <= worst
    assert np.abs(made[..., :3].astype(int) - expected).mean() <= 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_type", ["PNG", "JPEG", "TIFF", "WebP"])
def test_pictures_stand_upright_as_exif_says(orientation, file_type):
    turns = [None, None, 0, 3, 1, 5, 2, 6, 4]  # what a camera does to the pixels: the inverse of what undoes it
    upright = Image.fromarray(picture())
    stored = upright if turns[orientation] is None else upright.transpose(Image.Transpose(turns[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = decode(to_bytes(stored, file_type, exif=exif))
    assert made.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(made.astype(int) - picture()).mean() < 12


def test_a_png_that_says_so_behind_its_pixels_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = to_bytes(Image.fromarray(picture()), "PNG", exif=exif)
    begin = content.index(b"eXIf") - 4
    chunk = content[begin : begin + 12 + int.from_bytes(content[begin : begin + 4], "big")]
    end = content.index(b"IEND") - 4
    assert begin < content.index(b"IDAT")
    behind = content[:begin] + content[begin + len(chunk) : end] + chunk + content[end:]
    assert np.array_equal(decode(behind), np.rot90(picture(), -1))


def test_a_path_a_string_and_bytes_give_the_same(tmp_path):
    file = encode(picture(), "png", "RGB", tmp_path / "picture")
    assert (decode(file) == decode(str(file))).all()
    assert (decode(file) == decode(file.read_bytes())).all()


def test_the_first_bytes_count_not_the_name(tmp_path):
    file = encode(picture(), "webp", "RGB", tmp_path / "picture")
    assert decode(file.rename(tmp_path / "picture.PNG")).shape == (HEIGHT, WIDTH, 3)


def test_alpha_is_kept():
    rgba = np.dstack([picture(), np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 256]).astype(np.uint8)
    assert (decode(to_bytes(Image.fromarray(rgba), "PNG")) == rgba).all()


def test_a_palette_with_transparency_keeps_it():
    image = Image.fromarray((np.arange(100).reshape(10, 10) // 50).astype(np.uint8), "L").convert("P")
    image.putpalette([10, 20, 30, 200, 100, 50])
    made = decode(to_bytes(image, "PNG", transparency=1))
    assert made.shape == (10, 10, 4)
    assert made[0, 0].tolist() == [10, 20, 30, 255]
    assert made[9, 9].tolist() == [200, 100, 50, 0]


def test_a_transparent_colour_of_a_grey_png_becomes_alpha():
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    made = decode(to_bytes(image, "PNG", transparency=255))
    assert made.tolist() == [[[0, 0, 0, 255], [255, 255, 255, 0]]]


def test_one_bit_pictures_are_black_and_white():
    made = decode(to_bytes(Image.fromarray(np.array([[True, False]])), "PNG"))
    assert made.tolist() == [[[255], [0]]]


@pytest.mark.parametrize("file_type", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_cut(file_type):
    values = np.array([[0, 128, 257, 32896, 65535]], np.uint16)
    assert decode(to_bytes(Image.fromarray(values), file_type))[0, :, 0].tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 32896, 65535]], np.int32), [0, 128, 255]),
        (np.array([[-5, 0, 2_000_000]], np.int32), [0, 0, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[0, 51.4, 255]], np.float32), [0, 51, 255]),
        (np.array([[np.nan, 257, 65535]], np.float32), [0, 1, 255]),
        (np.array([[0, 0, 0]], np.float32), [0, 0, 0]),
        (np.array([[np.nan, np.inf, 1]], np.float32), [0, 255, 255]),
    ],
)
def test_wide_greys_are_scaled_by_the_smallest_usual_white_that_holds_them(values, expected):
    assert decode(to_bytes(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == expected


def test_the_first_frame_of_an_animation_is_read():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for file_type in ("GIF", "PNG", "WebP", "TIFF"):
        made = decode(to_bytes(frames[0], file_type, save_all=True, append_images=frames[1:]))
        assert np.abs(made[..., :3].astype(int) - [255, 0, 0]).max() < 8


def test_the_suffixes_are_those_of_the_formats():
    assert {f".{file_type}" for file_type, _ in FILES} <= EXTENSIONS
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in EXTENSIONS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match=r"absent\.png: a picture file is required\. Received: no such file"):
        decode(tmp_path / "absent.png")


def test_a_folder_is_not_a_picture(tmp_path):
    with pytest.raises(ImageError, match=r": a picture file is required\. Received: a folder"):
        decode(tmp_path)


def test_an_empty_file_is_named(tmp_path):
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png: a picture is required\. Received: an empty file"):
        decode(tmp_path / "empty.png")


@pytest.mark.parametrize(
    "content", [b"hello", b"%PDF-1.7 ...", b"%!PS-Adobe-3.0 EPSF-3.0", b"\x00" * 50, b"P6 1 1 255 abc"]
)
def test_what_is_not_one_of_the_formats_is_refused(content):
    with pytest.raises(
        ImageError, match=r"^<bytes>: a PNG, JPEG, BMP, GIF, WebP or TIFF picture is required\. Received"
    ):
        decode(content)


@pytest.mark.parametrize("file_type", ["png", "jpg", "bmp", "gif", "webp", "tiff"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_file_that_was_cut_short_is_refused_in_one_line(tmp_path, file_type, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    whole = encode(noise, file_type, "P" if file_type == "gif" else "RGB", tmp_path / "whole").read_bytes()
    cut = tmp_path / f"cut.{file_type}"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError, match=rf"cut\.{file_type}: ") as caught:
        decode(cut)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file_type", ["png", "jpg", "bmp", "gif", "webp", "tiff"])
def test_damaged_bytes_give_a_picture_or_an_image_error(tmp_path, file_type):
    whole = encode(picture(), file_type, "P" if file_type == "gif" else "RGB", tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    for _ in range(100):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(damaged), 8)] = rng.integers(0, 256, 8)
        try:
            assert decode(damaged.tobytes()).dtype == np.uint8
        except ImageError as error:
            refused.append(str(error))
    assert refused
    assert not any("\n" in message for message in refused)


def test_a_picture_that_is_too_large_is_refused_before_it_is_unpacked(monkeypatch):
    content = to_bytes(Image.new("1", (20_000, 20_000)), "PNG", compress_level=1)

    def unpack(*_: object) -> None:
        raise AssertionError("unpacked")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", unpack)
    with pytest.raises(ImageError, match=r"at most 89 megapixels is required\. Received: 20000x20000\. Scale it down"):
        decode(content)


def test_the_limit_is_the_one_at_which_pillow_suspects_a_bomb():
    assert images.MAX_PIXELS == Image.MAX_IMAGE_PIXELS


def test_only_the_plugin_of_the_format_is_imported(tmp_path):
    file = encode(picture(), "png", "RGB", tmp_path / "picture")
    code = (
        "import sys; from edgeconv.pictures.decoding import decode; decode(sys.argv[1]); "
        "print(*sorted(m for m in sys.modules if m.startswith('PIL.') and m.endswith('ImagePlugin')))"
    )
    made = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["PIL.PngImagePlugin"]


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a readable file is required\. Received: a pipe or a device\. Name another"):
        decode(os.devnull)


def test_a_file_longer_than_any_picture_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ImageError, match="Received: 537 MB, more than 537 MB"):
        decode(tmp_path / "sparse.png")
