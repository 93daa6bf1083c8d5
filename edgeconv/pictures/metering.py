"""A large file of a picture, of which no more is read into memory than it takes to decode it."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from edgeconv.errors import ImageError

METADATA_BYTES = 100_000_000
"""Most that is read beside the pixels: profiles, previews, layers."""

_COPIES = 3
"""How often Pillow holds what it reads beside the pixels: in pieces, joined, and unpacked."""


class MeteredFile:
    """A file that says how much of it is in memory.

    Args:
        file: open for reading bytes.
        length: of the file, in bytes.
        name: of the picture, for errors.
    """

    def __init__(self, file: BinaryIO, length: int, name: str) -> None:
        self._file = file
        self._name = name
        self._metadata = 0
        self._most = METADATA_BYTES
        self._piece = 0
        self.length = length

    @property
    def held(self) -> int:
        """Bytes that are in memory: of what was read, and of the whole file where it has no place on a disk."""
        return _COPIES * self._metadata + self.length * isinstance(self._file, BytesIO)

    def decodes(self, piece: int, spare: int) -> None:
        """Count no more of what is read but what is longer than a piece of pixels.

        Args:
            piece: most bytes of pixels that are read at once.
            spare: bytes that what is read beside them may take.
        """
        self._piece = piece
        self._most = min(self._most, self._metadata + spare // _COPIES)

    def read(self, size: int = -1) -> bytes:
        """Return some bytes from here on.

        Raises:
            ImageError: that is more than a picture has beside its pixels.
        """
        length = size if 0 <= size < self.length else self.length
        if length > self._piece:
            self._metadata += length
        if self._metadata > self._most:
            raise ImageError(
                f"{self._name}: a picture with at most {self._most / 1e6:.0f} MB of profiles, previews and layers is "
                "required. Received: more. Save it without them."
            )
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
