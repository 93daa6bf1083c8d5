"""Zip archives with a damaged member, whose checksums are right again, and arrays with other headers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.fuzz.damage import damaged


def members_of(archive: bytes) -> dict[str, bytes]:
    """Return the content of each member by its name."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def archive_of(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return the archive of some members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, method)
    return stream.getvalue()


@st.composite
def damaged_archives(
    draw: DrawFn, whole: Mapping[str, bytes], of_member: Mapping[str, SearchStrategy[bytes]] | None = None
) -> bytes:
    """Return an archive with a member damaged, removed or renamed, or with damage to itself.

    Args:
        draw: given by hypothesis.
        whole: the members of a sound one.
        of_member: strategies for the content of some of them; others are damaged by bytes.
    """
    members, name = dict(whole), draw(st.sampled_from(list(whole)))
    change = draw(st.sampled_from(("content", "content", "remove", "rename", "archive")))
    if change == "archive":
        return draw(damaged([archive_of(members, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))]))
    content = members.pop(name)
    if change == "content":
        members[name] = draw((of_member or {}).get(name) or damaged([content]))
    elif change == "rename":
        members[draw(st.sampled_from((f"../{name}", f"/{name}", f"{name}\0", f"a/{name}", "", "ä")))] = content
    return archive_of(members, draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))))


_DTYPES = [
    *("|u1", "<f4", ">f8", "<i8", "|b1", "<f2", "<c16", "|O", "<U3", "|S3", "|V0", "<M8[D]", "<U0"),
    *(("<f4", (2,)), [("a", "<f4"), ("b", "|O")], [("a", "<f4", (2**40,))], "nonsense", None, 3),
]
_AXES = [0, 1, 2, 3, 12, 2**16, 2**31, 2**40, 2**63, -1, True, 1.5, None, "a"]


@st.composite
def arrays(draw: DrawFn, whole: bytes) -> bytes:
    """Return a file in numpy's format with another header, or damage, and the content of a sound one."""
    if draw(st.booleans()):
        return draw(damaged([whole]))
    shape = tuple(draw(st.lists(st.sampled_from(_AXES), max_size=5)))
    header = {"descr": draw(st.sampled_from(_DTYPES)), "fortran_order": draw(st.booleans()), "shape": shape}
    text = draw(st.sampled_from((repr(header), repr(header)[:-3], "(" * 3000, "[]", "9" * 9000))).encode() + b"\n"
    version = draw(st.sampled_from((b"\1\0", b"\2\0", b"\3\0", b"\4\0")))
    length = len(text).to_bytes(2 if version == b"\1\0" else 4, "little")
    return b"\x93NUMPY" + version + length + text + whole[128:]


def npy_of(array: np.ndarray) -> bytes:
    """Return an array in numpy's format."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
