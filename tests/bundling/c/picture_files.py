"""Files of every kind of PNG and JPEG that a decoder has to tell apart."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image


def draw_pictures(seven: Path, folder: Path) -> Iterator[Path]:
    """Yield one file of each kind that the decoders tell apart, turned ones included."""
    rgb = Image.open(seven).convert("RGB").resize((90, 64))
    grey, alpha = rgb.convert("L"), rgb.convert("RGBA")
    alpha.putalpha(grey.point(lambda value: 255 - value // 2))
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) * 255 + 77)
    kinds: dict[str, tuple[Image.Image, dict[str, object]]] = {
        "L.png": (grey, {}),
        "L-transparent.png": (grey, {"transparency": 200}),
        "bilevel.png": (grey.point(lambda value: 255 * (value > 100)).convert("1"), {}),
        "RGB.png": (rgb, {}),
        "RGB-transparent.png": (rgb, {"transparency": rgb.getpixel((3, 3))}),
        "RGBA.png": (alpha, {}),
        "LA.png": (alpha.convert("LA"), {}),
        "palette.png": (rgb.quantize(60), {}),
        "palette-transparent.png": (rgb.quantize(14), {"transparency": bytes([255, 90, 0])}),
        "sixteen.png": (sixteen, {}),
        "L.jpg": (grey, {"quality": 90}),
        "RGB.jpg": (rgb, {"quality": 90}),
        "progressive.jpg": (rgb, {"progressive": True, "subsampling": 0}),
    }
    for name, (image, options) in kinds.items():
        image.save(folder / name, **options)
        yield folder / name
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        for name in (f"turned-{orientation}.jpg", f"turned-{orientation}.png"):
            rgb.save(folder / name, exif=exif)
            yield folder / name
    for number, samples in enumerate((deep_png(2), deep_png(6), interlaced_png(np.asarray(grey)))):
        (folder / f"raw-{number}.png").write_bytes(samples)
        yield folder / f"raw-{number}.png"


def deep_png(kind: int) -> bytes:
    """Return a PNG of 16 bits a channel: RGB (kind 2) or RGBA (6)."""
    channels = {2: 3, 6: 4}[kind]
    pixels = np.full((40, 50, channels), 60_000, np.uint16)
    pixels[8:33, 22:28, :3] = 9_000
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return png(struct.pack(">IIBBBBB", 50, 40, 16, kind, 0, 0, 0), rows)


def interlaced_png(grey: np.ndarray) -> bytes:
    """Return a PNG in the seven passes of Adam7."""
    height, width = grey.shape
    starts = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(b"\0" + row.tobytes() for y, x, down, right in starts for row in grey[y::down, x::right])
    return png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1), rows)


def png(header: bytes, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
