"""Which files are pictures of a folder or a pattern: the one walk that training, calibration and predictions share."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterator
from operator import attrgetter
from pathlib import Path

from edgeconv.errors import DatasetError
from edgeconv.pictures.decoding import EXTENSIONS

SYSTEM_NAMES = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini"})
"""Lower-case names of what macOS, a NAS and Windows put beside pictures, and nobody looks at."""


def find_pictures(place: str, endings: Collection[str] = EXTENSIONS) -> Iterator[str]:
    """Yield the path of each picture that a path or a pattern stands for, lazily and in order.

    A folder gives the pictures in it and below it, in the order of their paths, without hidden ones; a pattern that
    no file has as its name is a glob, whose folders are searched too. A file is taken whatever its name, and so is
    what is none of these, such as a pipe or a folder that cannot be read: reading it tells why it is no picture.

    Args:
        place: the path or the pattern.
        endings: of the names of pictures in folders, in lower case.

    Example:
        >>> list(find_pictures("absent.png"))
        ['absent.png']
    """
    if os.path.isdir(place):  # noqa: PTH112 - here and below: what may not be asked for is none, and no error
        yield from _below(str(Path(place)), endings)
    elif glob.has_magic(place) and not os.path.lexists(place):
        matches = sorted({*glob.glob(place, recursive=True), *_closed_folders(place)})  # noqa: PTH207 - absolute too
        for match in [match for match in matches if not _is_system(match, place)] or [place]:
            yield from _below(str(Path(match)), endings) if os.path.isdir(match) else (match,)  # noqa: PTH112
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
    return [Path(folder, name) for name in names if _is_visible(name)]


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name.lower() not in SYSTEM_NAMES


def is_picture(path: Path) -> bool:
    """Tell whether a path is a file with the ending of a picture."""
    return path.suffix.lower() in EXTENSIONS and path.is_file()


def _below(folder: str, endings: Collection[str], above: tuple[str, ...] = ()) -> Iterator[str]:
    real = os.path.realpath(folder)
    if real in above:  # A link to a folder that it lies in.
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted((entry for entry in found if _is_visible(entry.name)), key=attrgetter("name"))
    except OSError:
        yield folder
        return
    for entry in entries:
        # The entry of a folder says what it is; making a path and asking the system takes as long as reading the file.
        path = entry.name if folder == "." else entry.path
        if os.path.isdir(path) if entry.is_symlink() else entry.is_dir():  # noqa: PTH112
            yield from _below(path, endings, (*above, real))
        elif os.path.splitext(path)[1].lower() in endings:  # noqa: PTH122
            yield path


def _closed_folders(pattern: str) -> Iterator[str]:
    """Yield the folders whose names a pattern needs and that cannot be read: `glob` says nothing of them."""
    above, name = os.path.split(pattern)
    if not name:
        return
    yield from _closed_folders(above)
    if glob.has_magic(name):
        folders = [above or "."]
        if glob.has_magic(above):
            folders = glob.glob(os.path.join(above, ""), recursive=True)  # noqa: PTH118, PTH207 - the slash: folders
        for folder in folders:
            try:
                os.scandir(folder).close()
            except PermissionError:
                yield os.path.normpath(folder)
            except OSError:  # It is absent, or no folder: nothing matches.
                continue


def _is_system(match: str, pattern: str) -> bool:
    return any(part.lower() in SYSTEM_NAMES for part in set(Path(match).parts) - set(Path(pattern).parts))
