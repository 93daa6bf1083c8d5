from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from edgeconv import array_sizes
from edgeconv.array_sizes import check_archive, check_arrays
from edgeconv.memory import memory_allowed

HEADER = "{{'descr': '|u1', 'fortran_order': False, 'shape': ({count},), }}"


def npy_of(count: int, content: bytes = b"", header_bytes: int | None = None) -> bytes:
    """Return an array in numpy's format 2.0 that declares so many bytes, and holds these."""
    header = HEADER.format(count=count).encode().ljust(118) + b"\n"
    return b"\x93NUMPY\2\0" + struct.pack("<I", header_bytes or len(header)) + header + content


def npz(path: Path, *arrays: bytes, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for place, array in enumerate(arrays):
            archive.writestr(f"x{place}.npy", array)
    return path


@pytest.mark.parametrize("in_parts", [False, True])
def test_ordinary_arrays_are_not_refused(tmp_path: Path, in_parts: bool) -> None:
    images = np.random.default_rng(0).integers(0, 256, (100, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "plain.npz", x=images, names=np.array(["a", "bee"]))
    np.savez_compressed(tmp_path / "packed.npz", x=np.zeros(10**6))
    np.save(tmp_path / "one.npy", images)
    for name in ("plain.npz", "packed.npz", "one.npy"):
        check_arrays(tmp_path / name, in_parts=in_parts)


def test_large_arrays_may_be_so_many_times_their_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_sizes, "FREE_BYTES", 1000)
    noise = np.random.default_rng(0).integers(0, 256, 10**5, dtype=np.uint8).tobytes()
    check_arrays(npz(tmp_path / "noise.npz", npy_of(10**5, noise)))
    packed = npz(tmp_path / "zeros.npz", npy_of(10**6, bytes(10**6)))
    with pytest.raises(ValueError, match=r"1 MB packed into 0\.0 MB; more than 0 MB may be 30 times as much"):
        check_arrays(packed)


def test_what_a_header_claims_counts_whatever_the_member_holds(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"9,000,000 MB packed into 0\.0 MB"):
        check_arrays(npz(tmp_path / "claim.npz", npy_of(9 * 10**12)))
    (tmp_path / "claim.npy").write_bytes(npy_of(9 * 10**12))
    with pytest.raises(ValueError, match="an array of 9,000,000 MB in a file of 0 MB"):
        check_arrays(tmp_path / "claim.npy")


def test_arrays_fit_into_the_memory_unless_they_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    array_sizes.check_unpacked(2 * memory_allowed(), memory_allowed(), in_parts=True)
    with pytest.raises(ValueError, match=r"MB of arrays, more than the .* MB of memory"):
        array_sizes.check_unpacked(2 * memory_allowed(), memory_allowed())


def test_a_header_is_no_longer_than_numpy_takes_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an array whose header has 3,000,000,000 bytes, of at most 10,000"):
        check_arrays(npz(tmp_path / "header.npz", npy_of(1, header_bytes=3_000_000_000)))


def test_members_are_counted_before_they_are_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    many = npz(tmp_path / "many.npz", *[b""] * 50)
    check_arrays(many)
    monkeypatch.setattr(array_sizes, "_MOST_DIRECTORY", 1000)
    with pytest.raises(ValueError, match=r"an archive whose list of members has .* bytes, of at most 1,000"):
        check_arrays(many)


def test_a_limit_of_its_own(tmp_path: Path) -> None:
    content = npz(tmp_path / "x.npz", npy_of(1000, bytes(1000))).read_bytes()
    assert check_archive(io.BytesIO(content), len(content)) > 1000
    with pytest.raises(ValueError, match="0 MB of arrays, of at most 0 MB"):
        check_archive(io.BytesIO(content), len(content), most=900)
