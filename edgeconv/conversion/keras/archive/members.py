"""The zip archive of a `.keras` file: judged by its directory, before anything is unpacked."""

from __future__ import annotations

import io
import shutil
import stat
import struct
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import BinaryIO, cast

from edgeconv.conversion.keras.archive.sizes import check_memory
from edgeconv.conversion.keras.archive.wording import shown
from edgeconv.errors import ArtifactError
from edgeconv.formatting import format_size

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
METADATA = "metadata.json"

CONFIG_LIMIT_BYTES = 64 << 20
"""The config of NASNetLarge, the longest of `keras.applications`, has 1.0 MB."""

MEMBERS_LIMIT = 10_000
"""Three, and one for each asset of a layer, such as a vocabulary."""

EXPANSION_LIMIT = 100
EXPANSION_FLOOR_BYTES = 256 << 20
"""Keras stores without compression, and weights hardly compress; deflate can reach 1032 : 1."""

LOCAL_HEADER = struct.Struct("<26xHH")
"""Of a member in a zip file: ends in the lengths of the name and of the extra field, which the data follow."""


def check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Check the names and the sizes of an archive's members.

    Raises:
        ArtifactError: a part of the model is missing, or a member is no file of a Keras model.
        UnsupportedModelError: the weights are more than fit into memory.
    """
    members = archive.infolist()
    names = [member.filename for member in members]
    for name in (CONFIG, METADATA, WEIGHTS):
        if name not in names:
            raise ArtifactError(
                f"`{path}` must hold {CONFIG}, {METADATA} and {WEIGHTS}. Received: no {name}. Save the model again "
                "with `model.save`."
            )
    if len(members) > MEMBERS_LIMIT:
        raise _harmful(path, f"{len(members):,} members")
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise _harmful(path, f"the member {shown(twice)} twice")
    for member in members:
        _check_member(path, member)
    size, unpacked = path.stat().st_size, sum(member.file_size for member in members)
    if sum(member.compress_size for member in members) > size or _explodes(unpacked, size):
        raise _harmful(path, f"{format_size(size)} that unpack to {format_size(unpacked)}, a zip bomb")
    check_memory(path, archive.getinfo(WEIGHTS).file_size)


def open_seekable(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BinaryIO:
    """Open a member so that it can be read from anywhere: in its place if it is stored, else unpacked on the disk."""
    if member.compress_type == zipfile.ZIP_STORED:
        return cast(BinaryIO, io.BufferedReader(_Window(path, member)))
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it.
    with archive.open(member) as source:
        shutil.copyfileobj(source, unpacked)
    unpacked.seek(0)
    return cast(BinaryIO, unpacked)


class _Window(io.RawIOBase):
    """A stored member as a file of its own, read in its place in the archive."""

    def __init__(self, path: Path, member: zipfile.ZipInfo) -> None:
        self._file = path.open("rb")
        self._file.seek(member.header_offset)
        name_length, extra_length = LOCAL_HEADER.unpack(self._file.read(LOCAL_HEADER.size))
        self._start = member.header_offset + LOCAL_HEADER.size + name_length + extra_length
        self._size = member.file_size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence])
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._place)
        count = self._file.readinto(buffer[: max(0, self._size - self._place)])
        self._place += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    name = member.filename
    if name.startswith(("/", "\\")) or ":" in name or ".." in name.replace("\\", "/").split("/"):
        raise _harmful(path, f"the member {shown(name)}, which leaves the archive")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _harmful(path, f"the member {shown(name)}, which is a link or a device")
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _harmful(path, f"the member {shown(name)}, encrypted or packed in a way that Keras does not use")
    if name in (CONFIG, METADATA) and member.file_size > CONFIG_LIMIT_BYTES:
        raise _harmful(path, f"a {name} of {format_size(member.file_size)}")
    if _explodes(member.file_size, member.compress_size):
        sizes = f"{format_size(member.compress_size)} that unpack to {format_size(member.file_size)}"
        raise _harmful(path, f"the member {shown(name)} of {sizes}, a zip bomb")


def _explodes(unpacked: int, packed: int) -> bool:
    return unpacked > EXPANSION_FLOOR_BYTES and unpacked > EXPANSION_LIMIT * packed


def _harmful(path: Path, received: str) -> ArtifactError:
    return ArtifactError(
        f"`{path}` must be an archive as Keras writes it. Received: {received}. Do not use this file; get the model "
        "from whoever made it."
    )
