"""Pictures of six formats, in many modes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from PIL import Image

import edgeconv
from edgeconv.datasets.examples.truth import classes_of
from edgeconv.pictures.masks import read_classes
from edgeconv.runtime.loading import reference_model
from tests.fuzz.damage import damaged
from tests.fuzz.target import TINY, Reader, Target

KINDS = (
    ("PNG", ("L", "LA", "RGB", "RGBA", "P", "1", "I;16"), {}),
    ("PNG", ("L", "P"), {"transparency": 0}),
    ("JPEG", ("L", "RGB", "CMYK"), {}),
    ("JPEG", ("RGB",), {"progressive": True}),
    ("GIF", ("L", "P", "RGB"), {}),
    ("GIF", ("P",), {"transparency": 0}),
    ("WEBP", ("RGB", "RGBA"), {}),
    ("WEBP", ("RGBA",), {"lossless": True}),
    ("BMP", ("1", "L", "P", "RGB", "RGBA"), {}),
    ("TIFF", ("1", "L", "LA", "RGB", "RGBA", "P", "I", "F", "I;16", "CMYK"), {}),
    ("TIFF", ("L", "RGB", "RGBA"), {"compression": "tiff_lzw"}),
    ("TIFF", ("L", "RGBA", "I;16"), {"compression": "tiff_adobe_deflate"}),
    ("TIFF", ("L", "RGB"), {"compression": "jpeg"}),
)
"""Formats, the modes that they are written in here, and options."""


def _drawn(mode: str) -> Image.Image:
    grey = np.full((14, 11), 230, np.uint8)
    grey[3:11, 5:7] = 20
    image = Image.fromarray(grey)
    if mode == "I;16":
        return Image.fromarray(grey.astype(np.uint16) * 257)
    return image.convert("RGB").quantize(8) if mode == "P" else image.convert(mode)


def _written() -> Iterator[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, modes, options in KINDS:
        for mode in modes:
            stream = io.BytesIO()
            turned = {} if name in {"GIF", "BMP"} else {"exif": exif}
            _drawn(mode).save(stream, name, **options, **turned)
            yield stream.getvalue()


FILES = list(_written())
PNGS = [content for content in FILES if content.startswith(b"\x89PNG")]


def _framed(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@st.composite
def damaged_chunks(draw: DrawFn) -> bytes:
    """Return a PNG with a damaged chunk, whose length and checksum are right, as those of its pixels."""
    content, place, chunks = draw(st.sampled_from(PNGS)), 8, []
    while place < len(content):
        (size,) = struct.unpack_from(">I", content, place)
        chunks.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + size]))
        place += size + 12
    chosen = draw(st.integers(0, len(chunks) - 1))
    name, data = chunks[chosen]
    if name == b"IDAT" and draw(st.booleans()):
        data = zlib.compress(draw(damaged([zlib.decompress(data)])))
    else:
        data = draw(damaged([data]))
    chunks[chosen] = name, data
    if draw(st.booleans()):
        chunks.insert(draw(st.integers(0, len(chunks))), draw(st.sampled_from(chunks)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_framed(*chunk) for chunk in chunks)


DAMAGED = st.one_of(damaged(FILES), damaged(FILES), damaged_chunks())


def _open(folder: Path) -> Reader:
    models = edgeconv.Predictor(TINY), edgeconv.Predictor(reference_model())

    def look(path: Path) -> None:
        for model in models:
            model.predict(path)

    return Reader(look)


def _open_masks(folder: Path) -> Reader:
    return Reader(lambda path: classes_of(str(path), read_classes(path), 3))


TARGETS = (
    Target("pictures", "picture", DAMAGED, _open, corpus="pictures"),
    Target("masks", "mask", DAMAGED, _open_masks, corpus="pictures"),
)
