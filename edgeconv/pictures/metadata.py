"""What a picture file holds beside its pixels: Pillow keeps all that it reads of it.

Bundles in Python carry this file as it is, so it imports the standard library alone.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any, BinaryIO

METADATA_BYTES = 2**25
"""Most that is read beside the pixels: tags, profiles, previews, layers."""

MOST_PIECES = 2**17
"""Strips or tiles of a TIFF: a third of the largest picture in 16x16 pixels each.

Pillow takes some 500 bytes for each.
"""

_COPIES = 3
"""How often Pillow holds what it reads: in pieces, joined, and unpacked."""

_LEAST = 256
"""What a read counts at least: a million small ones take long instead of much."""

_UNITS = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8)
"""Bytes of a value of a TIFF tag, by its type."""

_PIECES = (273, 279, 324, 325)
"""Tags that say where strips and tiles are, and how long."""


class MetadataError(ValueError):
    """A picture has more beside its pixels than it may have."""


class MeteredFile:
    """A file of a picture that says how much of it is in memory.

    Args:
        file: open for reading bytes.
        length: of the file, in bytes.
    """

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file = file
        self._metadata = 0
        self._counted = 0
        self._most = METADATA_BYTES
        self._piece = 0
        self.length = length

    @property
    def held(self) -> int:
        """Bytes that are in memory: of what was read, and of a file that is no other."""
        in_memory = self.length if isinstance(self._file, BytesIO) else 0
        return _COPIES * self._metadata + in_memory

    def decodes(self, piece: int, spare: int) -> None:
        """Count no more of what is read but what is longer than a piece of pixels.

        Args:
            piece: most bytes of pixels that are read at once.
            spare: bytes that what is read beside them may take.
        """
        self._piece = piece
        self._most = min(self._most, self._counted + max(spare, 0) // _COPIES)

    def read(self, size: int = -1) -> bytes:
        """Return some bytes from here on, or all: these are a WebP, and not counted.

        Raises:
            MetadataError: that is more than a picture has beside its pixels.
        """
        length = min(size, self.length)
        if length > self._piece:
            self._metadata += length
            self._counted += max(length, _LEAST)
        if self._counted > self._most:
            raise MetadataError(
                f"a picture with at most {self._most / 1e6:.0f} MB of profiles, "
                "previews and layers is required. Received: more. Save it without them."
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def check_tags(file: BinaryIO) -> None:
    """Look through the tags of the first picture of a TIFF, before Pillow reads them.

    Args:
        file: at its beginning, where it is left; TIFF 6.0, section 2, or BigTIFF.

    Raises:
        MetadataError: they would take too much memory.
    """
    head = file.read(16)
    order = "<" if head.startswith(b"II") else ">"
    is_big = 43 in head[2:4]
    places, counts, entries = ("Q", "Q", "HHQ8x") if is_big else ("I", "H", "HHI4x")
    file.seek(_number(order + places, head[8:] if is_big else head[4:]))
    size = struct.calcsize(order + counts)
    entry = struct.calcsize(order + entries)
    count = min(_number(order + counts, file.read(size)), 2**16)
    table = file.read(count * entry)
    file.seek(0)
    held = 0
    whole = table[: len(table) // entry * entry]
    for tag, kind, count in struct.iter_unpack(order + entries, whole):
        held += count * (_UNITS[kind] if kind < len(_UNITS) else 0)
        if held > METADATA_BYTES or (tag in _PIECES and count > MOST_PIECES):
            raise MetadataError(
                f"a TIFF of at most {MOST_PIECES:,} strips or tiles, "
                f"and {METADATA_BYTES / 1e6:.0f} MB in its tags, is required. "
                f"Received: {count:,} values of tag {tag}. Convert it to PNG or JPEG."
            )


def _number(form: str, content: bytes) -> int:
    size = struct.calcsize(form)
    return int(struct.unpack(form, content[:size].ljust(size, b"\0"))[0])
