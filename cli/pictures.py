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
    """Yield the path of each picture that the arguments name, or stdin, lazily and in order."""
    from edgeconv.pictures.listing import find_pictures

    for argument in arguments:
        if argument == STDIN:
            yield Stdin()
        else:
            # A pattern that nothing matches gets an error of its own, and the others are answered.
            yield from find_pictures(argument)


def count_pictures(arguments: Sequence[str]) -> int | None:
    """Return how many pictures there are, without reading any; None where one comes from stdin."""
    return None if STDIN in arguments else sum(1 for _ in pictures_of(arguments))


class Stdin:
    """The picture that comes through stdin, read once, when it is asked for."""

    name = STDIN

    def read(self) -> bytes:
        """Return its bytes, or as many of what comes as show that it is no picture.

        Raises:
            ImageError: stdin is closed, or more than the longest picture comes through it.
        """
        return self._content

    @cached_property
    def _content(self) -> bytes:
        from edgeconv.errors import ImageError
        from edgeconv.pictures.decoding import MAX_BYTES, is_known

        if sys.stdin is None:
            raise ImageError(f"{STDIN}: a picture through stdin is required. Received: a closed one. Name a file.")
        head = sys.stdin.buffer.read(HEAD_BYTES)
        content = head + sys.stdin.buffer.read(MAX_BYTES) if is_known(head) else head
        if len(content) > MAX_BYTES:
            raise ImageError(f"{STDIN}: at most {MAX_BYTES / 1e6:.0f} MB are required. Received: more. Scale it down.")
        return content
