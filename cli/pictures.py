"""The pictures that a command's arguments name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property

STDIN = "-"
"""The argument that stands for the bytes of stdin."""

HEAD_BYTES = 16
"""Bytes that tell the format of a picture."""


def pictures_of(arguments: Sequence[str]) -> Iterator[str | Stdin]:
    """Yield the path of each picture that the arguments name, or stdin, lazily and in order.

    Photographs in formats that nobody reads here are among them, for an error of their own.
    """
    from edgeconv.pictures.decoding import EXTENSIONS, UNREAD_EXTENSIONS
    from edgeconv.pictures.listing import find_pictures

    for argument in arguments:
        if argument == STDIN:
            yield Stdin()
        else:
            # A pattern that nothing matches gets an error of its own, and the others are answered.
            yield from find_pictures(argument, EXTENSIONS | UNREAD_EXTENSIONS)


def count_pictures(arguments: Sequence[str]) -> int | None:
    """Return how many pictures there are, without reading any; None where one comes from stdin."""
    return None if STDIN in arguments else sum(1 for _ in pictures_of(arguments))


class Stdin:
    """The picture that comes through stdin, read once, when it is asked for."""

    name = STDIN

    def __init__(self) -> None:
        self._ended = False

    def read(self, _size: int = -1) -> bytes:
        """Return its bytes at once, or as many of what comes as show that it is no picture; and then that it ended.

        Raises:
            ImageError: stdin is closed, or more comes through it than a picture may have.
        """
        content = b"" if self._ended else self._content
        self._ended = bool(content)
        return content

    @cached_property
    def _content(self) -> bytes:
        from edgeconv.errors import ImageError
        from edgeconv.pictures.decoding import is_known
        from edgeconv.pictures.reading import read_stream

        if sys.stdin is None:
            raise ImageError(f"{STDIN}: a picture through stdin is required. Received: a closed one. Name a file.")
        head = sys.stdin.buffer.read(HEAD_BYTES)
        return read_stream(sys.stdin.buffer, head) if is_known(head) else head
