"""What the headers of WebP and TIFF say before Pillow opens the file, which by then takes memory."""

from __future__ import annotations

import struct
from typing import BinaryIO

from edgeconv.errors import ImageError
from edgeconv.pictures.budget import PICTURE_BYTES, WEBP_COST, too_large
from edgeconv.pictures.decoding import Claim, check_size

MOST_PIECES = 2**17
"""Strips or tiles of a TIFF: of 16x16 pixels, a third of the largest picture; Pillow takes some 500 bytes for each."""

MOST_TAG_BYTES = 2**25
"""What the tags of a TIFF hold in all."""


def check_header(file: BinaryIO, length: int, name: str, claim: Claim) -> None:
    """Raise ImageError for a WebP or TIFF file that would take too much memory to open; leave it at its beginning.

    Args:
        file: of the picture.
        length: of it, in bytes.
        name: of the picture, for errors.
        claim: told how much memory a WebP will take, before it does.
    """
    head = file.read(32)
    if head.startswith(b"RIFF"):
        width, height = webp_size(head, name)
        check_size(width, height, name)
        total = 3 * length + width * height * WEBP_COST
        if total > PICTURE_BYTES:
            raise too_large(name, width, height, total)
        claim(total)
    else:
        _check_tags(file, head, name)
    file.seek(0)


def webp_size(head: bytes, name: str) -> tuple[int, int]:
    """Return the width and height that the first chunk of a WebP file states (RFC 9649, section 2).

    Args:
        head: the first 30 bytes.
        name: of the picture, for errors.

    Raises:
        ImageError: it states none.
    """
    chunk, (wide, high) = head[12:16], struct.unpack("<2H", head[26:30].ljust(4, b"\0"))
    if chunk == b"VP8 ":
        return wide & 0x3FFF, high & 0x3FFF
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    raise ImageError(f"{name}: a WebP picture is required. Received: a RIFF file of {chunk!r}. Convert it first.")


_UNITS = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
"""Bytes of a value of a tag, by its type."""

_PIECES = (273, 279, 324, 325)
"""Tags that say where strips and tiles are, and how long."""


def _check_tags(file: BinaryIO, head: bytes, name: str) -> None:
    """Look through the tags of the first picture of a TIFF (TIFF 6.0, section 2), or of a BigTIFF."""
    order = "<" if head.startswith(b"II") else ">"
    is_big = 43 in head[2:4]
    places, counts, entries = ("Q", "Q", "HHQ8x") if is_big else ("I", "H", "HHI4x")
    place = _number(order + places, head[8:16] if is_big else head[4:8])
    file.seek(place)
    size = struct.calcsize(order + counts)
    entry = struct.calcsize(order + entries)
    table = file.read(min(_number(order + counts, file.read(size)), 2**16) * entry)
    held = 0
    for tag, kind, count in struct.iter_unpack(order + entries, table[: len(table) // entry * entry]):
        held += count * (_UNITS[kind] if kind < len(_UNITS) else 0)
        if held > MOST_TAG_BYTES or (tag in _PIECES and count > MOST_PIECES):
            raise ImageError(
                f"{name}: a TIFF of at most {MOST_PIECES:,} strips or tiles, and {MOST_TAG_BYTES / 1e6:.0f} MB in its "
                f"tags, is required. Received: {count:,} values of tag {tag}. Convert it to PNG or JPEG first."
            )


def _number(form: str, content: bytes) -> int:
    return int(struct.unpack(form, content.ljust(struct.calcsize(form), b"\0"))[0])
