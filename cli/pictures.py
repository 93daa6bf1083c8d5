"""The pictures that a command's arguments name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

STDIN = "-"
"""The argument that stands for the bytes of stdin."""


def pictures_of(arguments: Sequence[str]) -> Iterator[str | bytes]:
    """Yield the path of each picture that the arguments name, or the bytes of stdin, lazily and in order."""
    from edgeconv.pictures.listing import find_pictures

    for argument in arguments:
        if argument == STDIN:
            yield sys.stdin.buffer.read()
        else:
            # A pattern that nothing matches gets an error of its own, and the others are answered.
            yield from find_pictures(argument)


def count_pictures(arguments: Sequence[str]) -> int | None:
    """Return how many pictures there are, without reading any; None where one comes from stdin."""
    return None if STDIN in arguments else sum(1 for _ in pictures_of(arguments))
