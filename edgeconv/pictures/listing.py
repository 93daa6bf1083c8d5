"""Which files are pictures of a folder or a pattern: the one walk that training, calibration and predictions share."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from edgeconv.errors import DatasetError
from edgeconv.pictures.decoding import EXTENSIONS

SYSTEM_NAMES = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini"})
"""Lower-case names of what macOS, a NAS and Windows put beside pictures, and nobody looks at."""


def find_pictures(place: str) -> Iterator[str]:
    """Yield the path of each picture that a path or a pattern stands for, lazily and in order.

    A folder gives the pictures in it and below it, in the order of their paths, without hidden ones; a pattern that
    no file has as its name is a glob, whose folders are searched too. A file is taken whatever its name, and so is
    what is none of these: reading it tells why it is no picture.

    Raises:
        DatasetError: a folder cannot be read.

    Example:
        >>> list(find_pictures("absent.png"))
        ['absent.png']
    """
    if Path(place).is_dir():
        yield from _below(place)
    elif glob.has_magic(place) and not os.path.lexists(place):
        matches = sorted(glob.glob(place, recursive=True))  # noqa: PTH207 - takes absolute patterns too
        for match in [match for match in matches if not _is_system(match, place)] or [place]:
            yield from _below(match) if Path(match).is_dir() else (match,)
    else:
        yield place


def visible_entries(folder: str | Path) -> list[Path]:
    """Return what lies in a folder, by name, without hidden files and those of SYSTEM_NAMES.

    Raises:
        DatasetError: it is no folder, or cannot be read.
    """
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone; most are joined to no path
    except OSError as error:
        raise DatasetError(f"{folder}: a readable folder is required. Received: {error.strerror}.") from error
    return [Path(folder, name) for name in names if not name.startswith(".") and name.lower() not in SYSTEM_NAMES]


def is_picture(path: Path) -> bool:
    """Tell whether a path is a file with the ending of a picture."""
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _below(folder: str | Path, above: tuple[str, ...] = ()) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in above:  # A link to a folder that it lies in.
        return
    for path in visible_entries(folder):
        if is_picture(path):
            yield str(path)
        elif path.is_dir():
            yield from _below(path, (*above, real))


def _is_system(match: str, pattern: str) -> bool:
    return any(part.lower() in SYSTEM_NAMES for part in set(Path(match).parts) - set(Path(pattern).parts))
