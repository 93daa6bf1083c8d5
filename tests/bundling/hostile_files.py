"""Files that strangers made: each small, and each of them takes gigabytes, or for ever, of a careless reader."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

RGB, RGBA = 2, 6
"""Kinds of colour in a PNG file."""


def flat_png(width: int, height: int, kind: int = RGBA, bits: int = 8, interlaced: int = 0) -> bytes:
    """Return a PNG of one colour; its pixels are written row by row, so that it takes little to make."""
    row = b"\0" + b"\x40" * (width * {0: 1, RGB: 3, RGBA: 4}[kind] * bits // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, interlaced)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def tiff_of_one_tile(side: int) -> bytes:
    """Return a grey TIFF of 40 x 40 pixels, in a tile of so many rows and columns."""
    tags = {256: 40, 257: 40, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 8, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 16) + bytes(8) + struct.pack("<H", len(tags)) + entries + bytes(4)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def endless(folder: Path) -> Iterator[Path]:
    """Yield what is no regular file, and never ends or never begins."""
    os.mkfifo(folder / "pipe.png")
    yield folder / "pipe.png"
    yield Path("/dev/zero")


def answering_nan(model: bytes) -> bytes:
    """Return a model that answers NaN, whatever it is asked."""
    import onnx

    changed = onnx.load_model_from_string(model)
    name = changed.graph.output[0].name
    for node in changed.graph.node:
        for place, output in enumerate(node.output):
            if output == name:
                node.output[place] = "before"
    nothing = onnx.helper.make_node("Sub", ["before", "before"], ["nothing"])
    changed.graph.node.extend([nothing, onnx.helper.make_node("Div", ["nothing", "nothing"], [name])])
    return changed.SerializeToString()
