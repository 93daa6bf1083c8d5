"""Small files of large pictures, and files that claim more than they hold."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

GREY = (200, 180, 160)

Write = Callable[[Path], object]


def saved(kind: str, mode: str, size: tuple[int, int], colour: object, **options: object) -> Write:
    """Return what writes a picture of one colour."""

    def write(path: Path) -> None:
        if kind == "PNG":
            options["compress_level"] = 1
        Image.new(mode, size, colour).save(path, kind, **options)  # type: ignore[arg-type]

    return write


def turned(kind: str, size: tuple[int, int]) -> Write:
    """Return what writes a picture that lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(kind, "RGB", size, GREY, exif=exif)


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.full((9000, 9000), 40_000, np.uint16)).save(path, "PNG", compress_level=1)


def webp_of_a_header(width: int, height: int) -> Write:
    """Return what writes 34 bytes that say how large a lossless WebP is."""
    bits = struct.pack("<I", (width - 1) | (height - 1) << 14)
    return lambda path: path.write_bytes(
        b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", 14) + b"\x2f" + bits + bytes(9)
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with_a_chunk(path: Path) -> None:
    """Write a small PNG with 300 MB of what no program knows, in a file with holes."""
    length, header = 300_000_000, b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 0, 0, 0, 0))
    with path.open("wb") as file:
        file.write(header + struct.pack(">I", length) + b"prVt")
        file.seek(length + 4, 1)
        file.write(_chunk(b"IDAT", zlib.compress(bytes(72))) + _chunk(b"IEND", b""))


def png_of_overlapping_exif(path: Path) -> None:
    """Write a small PNG, of whose EXIF data 3,000 tags have the same megabyte."""
    count, size = 3000, 1_000_000
    place = 8 + 2 + 12 * count + 4
    tags = b"".join(struct.pack("<HHII", 1000 + number, 7, size, place) for number in range(count))
    exif = b"II*\0" + struct.pack("<IH", 8, count) + tags + bytes(4 + size)
    header = _chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 8, 0, 0, 0, 0))
    rest = _chunk(b"IDAT", zlib.compress(bytes(72))) + _chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + _chunk(b"eXIf", exif) + rest)


def tiff(*tags: tuple[int, int, int, int], size: int = 0) -> Write:
    """Return what writes a TIFF of 8x8 grey pixels, compressed, with some tags: number, type, count and value."""
    usual = {256: 8, 257: 8, 258: 8, 259: 8, 262: 1, 277: 1}
    rows = [(tag, 3, 1, value) for tag, value in usual.items()] + list(tags)
    table = b"".join(struct.pack("<HHII", *row) for row in sorted(rows))

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(b"II*\0" + struct.pack("<IH", 8, len(rows)) + table + bytes(4))
            file.write(zlib.compress(bytes(2**20)))
            file.truncate(max(size, file.tell()))

    return write


def bmp(width: int, height: int) -> Write:
    """Return what writes a black BMP in colour, in a file with holes."""

    def write(path: Path) -> None:
        stride = -(-width * 3 // 4) * 4
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, stride * height, 0, 0, 0, 0)
        with path.open("wb") as file:
            file.write(b"BM" + struct.pack("<IHHI", 54 + stride * height, 0, 0, 54) + header)
            file.truncate(54 + stride * height)

    return write


READ: dict[str, Write] = {
    "65535x1365.png": saved("PNG", "RGB", (65_535, 1365), GREY),
    "89-megapixels.png": saved("PNG", "RGB", (9946, 8996), GREY),
    "50-megapixels.png": saved("PNG", "RGB", (8192, 6100), GREY),
    "50-megapixels-of-16-bits.png": sixteen_bits,
    "48-megapixels-on-their-side.jpg": turned("JPEG", (8000, 6000)),
    "48-megapixels-in-scans.jpg": saved("JPEG", "RGB", (8000, 6000), GREY, progressive=True, subsampling=0),
    "rgba.tif": saved("TIFF", "RGBA", (9946, 8996), (*GREY, 128), compression="tiff_deflate"),
    "88-megapixels.gif": saved("GIF", "P", (9400, 9400), 3, transparency=0),
    "24-megapixels.webp": saved("WebP", "RGB", (4900, 5000), GREY, method=0),
    "45-megapixels.bmp": bmp(7000, 6400),
    "of-overlapping-exif.png": png_of_overlapping_exif,
}
"""Pictures that are read, scaled down or not."""

REFUSED: dict[str, tuple[Write, str]] = {
    "176-megapixels.webp": (webp_of_a_header(11_000, 16_000), "at most 89 megapixels"),
    "80-megapixels.webp": (
        webp_of_a_header(8000, 10_000),
        "at most 400 MB of memory is required. Received: 8000x10000",
    ),
    "1x80000000.png": (saved("PNG", "L", (80_000_000, 1), 0), "at most 65,535 pixels a side"),
    "of-one-chunk.png": (png_with_a_chunk, "at most 34 MB of profiles, previews and layers"),
    "of-many-strips.tif": (tiff((273, 4, 9_000_000, 300), size=40_000_000), "at most 131,072 strips or tiles"),
    "overlapping.tif": (
        tiff(*((1000 + n, 7, 1_000_000, 300) for n in range(3000)), size=1_100_000),
        "34 MB in its tags",
    ),
    "of-one-tag.tif": (tiff((700, 1, 200_000_000, 300), size=200_000_400), "34 MB in its tags"),
    "of-a-large-tile.tif": (
        tiff((322, 3, 1, 32_768), (323, 3, 1, 32_768), (324, 4, 1, 300), (325, 4, 1, 1000)),
        "at most 400 MB of memory",
    ),
}
"""Pictures that are refused, and what the error says."""
