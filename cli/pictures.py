"""The pictures that a command's arguments name."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

STDIN = "-"
"""The argument that stands for the bytes of stdin."""


def find_pictures(arguments: Sequence[str]) -> Iterator[str | bytes]:
    """Yield the path of each picture, or the bytes of stdin, lazily and in order.

    A file is taken whatever its name; a folder gives the pictures in it and below it, sorted within each folder,
    without hidden ones; a pattern that no file has as its name is a glob; ``-`` is the bytes of stdin. What is none
    of these is yielded as it is, so that it gets its own error and the others are answered.
    """
    for argument in arguments:
        if argument == STDIN:
            yield sys.stdin.buffer.read()
        elif Path(argument).is_dir():
            yield from _walk(argument)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - takes absolute patterns too
            for match in matches or [argument]:
                if Path(match).is_dir():
                    yield from _walk(match)
                else:
                    yield match
        else:
            yield argument


def count_pictures(arguments: Sequence[str]) -> int | None:
    """Return how many pictures there are, without reading any; None where one comes from stdin."""
    return None if STDIN in arguments else sum(1 for _ in find_pictures(arguments))


def _walk(folder: str) -> Iterator[str]:
    from edgeconv.pictures.decoding import EXTENSIONS

    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and path.suffix.lower() in EXTENSIONS:
                yield str(path)
