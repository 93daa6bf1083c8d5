"""What the arrays of an `.npz` or `.npy` file would take in memory, by its headers, before there is any of them."""

from __future__ import annotations

import math
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from numpy.lib import format as npy

from edgeconv.memory import memory_allowed

FREE_BYTES = 80_000_000
"""What arrays may take however small their file is; in a model's own numbers they become four times as much."""

MOST_TIMES = 30
"""How many times as much as its file larger arrays may take: images are packed to a tenth at best."""

_MOST_HEADER = 10_000
"""Bytes of an array's header, as numpy limits them; it would read what is longer all the same."""

_MOST_DIRECTORY = 2**22
"""Bytes of an archive's list of its members, some 80,000; Python takes fifteen times as much for them."""


def check_arrays(path: Path, *, in_parts: bool = False) -> None:
    """Raise ValueError where the arrays of a file would take more memory than such a file may.

    Args:
        path: an `.npz` or an `.npy` file.
        in_parts: whether they are read some rows after another, so that they may be larger than the memory.
    """
    length = path.stat().st_size
    with path.open("rb") as file:
        if file.read(2) == b"PK":
            total = check_archive(file, length)
        else:
            file.seek(0)
            total = _declared(file)
            if total > length:
                raise ValueError(f"an array of {total / 1e6:,.0f} MB in a file of {length / 1e6:,.0f} MB")
    check_unpacked(total, length, in_parts=in_parts)


def check_archive(file: IO[bytes], length: int, most: int | None = None) -> int:
    """Return what the arrays of an `.npz` take together, in bytes.

    Args:
        file: of so many bytes; it is read from its beginning afterwards.
        length: of the file.
        most: what they may take; None leaves that to the caller.

    Raises:
        ValueError: they take more, or the archive has too many members.
    """
    total = 0
    _check_directory(file, length)
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            with archive.open(member) as content:
                total += max(member.file_size, _declared(content))
    if most is not None and total > most:
        raise ValueError(f"{total / 1e6:,.0f} MB of arrays, of at most {most / 1e6:,.0f} MB")
    return total


def check_unpacked(total: int, length: int, *, in_parts: bool = False) -> None:
    """Raise ValueError where so many bytes are too many for a file of that length, or for the memory; see above."""
    if total > max(FREE_BYTES, MOST_TIMES * length):
        raise ValueError(
            f"{total / 1e6:,.0f} MB packed into {length / 1e6:,.1f} MB; more than {FREE_BYTES / 1e6:,.0f} MB may be "
            f"{MOST_TIMES} times as much as the file"
        )
    if total > memory_allowed() and not in_parts:
        raise ValueError(f"{total / 1e6:,.0f} MB of arrays, more than the {memory_allowed() / 1e6:,.0f} MB of memory")


def _declared(file: IO[bytes]) -> int:
    """Return the bytes of the array that a header declares; 0 where it is none, which numpy tells in its own words."""
    start = file.read(8)
    if start[:6] != npy.MAGIC_PREFIX or len(start) < 8:
        return 0
    size, code = (2, "<H") if start[6] == 1 else (4, "<I")
    told = file.read(size)
    if len(told) < size:
        return 0
    (count,) = struct.unpack(code, told)
    if count > _MOST_HEADER:
        raise ValueError(f"an array whose header has {count:,} bytes, of at most {_MOST_HEADER:,}")
    read: Any = npy.read_array_header_1_0 if size == 2 else npy.read_array_header_2_0
    shape, _, dtype = read(BytesIO(told + file.read(count)))
    return int(math.prod(shape) * dtype.itemsize)


def _check_directory(file: IO[bytes], length: int) -> None:
    """Raise ValueError for an archive of too many members: `zipfile` lists all of them at once."""
    file.seek(max(0, length - 2**16 - 100))
    tail = file.read()
    end, large_end = tail.rfind(b"PK\5\6"), tail.rfind(b"PK\6\6")
    sizes = [struct.unpack("<I", tail[end + 12 : end + 16])[0]] if 0 <= end <= len(tail) - 16 else []
    if sizes == [2**32 - 1] and 0 <= large_end <= len(tail) - 48:
        sizes = list(struct.unpack("<Q", tail[large_end + 40 : large_end + 48]))
    if sizes and sizes[0] > _MOST_DIRECTORY:
        raise ValueError(f"an archive whose list of members has {sizes[0]:,} bytes, of at most {_MOST_DIRECTORY:,}")
    file.seek(0)
