"""What the headers of WebP and TIFF say before Pillow opens the file, which by then takes memory."""

from __future__ import annotations

import struct
from typing import BinaryIO

from edgeconv.errors import ImageError
from edgeconv.pictures.budget import PICTURE_BYTES, WEBP_COST, too_large
from edgeconv.pictures.decoding import Claim, check_size
from edgeconv.pictures.metadata import check_tags


def check_header(file: BinaryIO, length: int, name: str, claim: Claim) -> None:
    """Refuse a WebP or TIFF file that would take too much memory to open; leave it at its beginning.

    Args:
        file: of the picture.
        length: of it, in bytes.
        name: of the picture, for errors.
        claim: told how much memory a WebP will take, before it does.

    Raises:
        ImageError: it is a WebP of too many pixels.
        MetadataError: it is a TIFF with too much in its tags.
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
        file.seek(0)
        check_tags(file)
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
