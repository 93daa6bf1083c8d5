"""Arrays of an `.npz` or `.npy`, whole or some rows after another: the file may be larger than memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edgeconv.array_sizes import check_arrays
from edgeconv.artifact import require_regular
from edgeconv.errors import ConfigError, one_line

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True)
class Rows:
    """An array in a file, of which only the header is in memory.

    Attributes:
        path: the file.
        name: of the array; that of the file where it is an `.npy`.
        dtype: of its values.
        shape: of the whole array.
        in_order: the rows lie one after another; else (Fortran order) the array is read whole.
    """

    path: Path
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    in_order: bool

    def whole(self) -> NDArray[Any]:
        """Return the array.

        Raises:
            ConfigError: the file is damaged.
        """
        with _refused(self.path):
            check_arrays(self.path)
            if _is_lone(self.path):
                return np.array(np.load(self.path, allow_pickle=False))
            with np.load(self.path, allow_pickle=False) as file:
                array: NDArray[Any] = file[self.name]
        return array

    def blocks(self, block_bytes: int) -> Iterator[NDArray[Any]]:
        """Yield the rows in order, about so many bytes at once.

        Raises:
            ConfigError: the file is damaged.
        """
        return self.in_steps(max(1, block_bytes // max(1, self._row_bytes)))

    @property
    def _row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.shape[1:]))

    def in_steps(self, step: int) -> Iterator[NDArray[Any]]:
        """Yield the rows in order, so many at once.

        Raises:
            ConfigError: the file is damaged.
        """
        if not self.in_order or _is_lone(self.path):
            with _refused(self.path):
                whole = np.load(self.path, mmap_mode="r") if _is_lone(self.path) else self.whole()
            yield from (np.array(whole[at : at + step]) for at in range(0, len(whole), step))
            return
        with _refused(self.path), zipfile.ZipFile(self.path) as archive, archive.open(_member(self.name)) as file:
            _read_header(file)
            for at in range(0, self.shape[0], step):
                rows = min(step, self.shape[0] - at)
                data = _read_exactly(file, rows * self._row_bytes)
                yield np.frombuffer(data, self.dtype).reshape(rows, *self.shape[1:])


def read_headers(path: Path) -> dict[str, Rows]:
    """Return the arrays of an `.npz`, or the one of an `.npy`, without their values and without running code in them.

    Raises:
        ConfigError: the file holds no arrays of numbers, all of them with as many rows.
    """
    arrays: dict[str, Rows] = {}
    with _refused(path):
        require_regular(path)
        check_arrays(path, in_parts=True)
        if _is_lone(path):
            with path.open("rb") as file:
                arrays[path.stem] = _described(path, path.stem, file)
        else:
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    with archive.open(member) as file:
                        name = member.removesuffix(".npy")
                        arrays[name] = _described(path, name, file)
    rows = {array.shape[0] if array.shape else 0 for array in arrays.values()}
    if len(rows) != 1 or not all(
        array.shape and min(array.shape) > 0 < array.dtype.itemsize for array in arrays.values()
    ):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ConfigError(
            f"`{path}` must hold arrays with the same number of rows, at least 1. Received: {shapes or 'no arrays'}. "
            "Save one array for each input of the model, (n, ...)."
        )
    return arrays


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    """Turn what a file that is none raises into our error."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # Damaged bytes fail in every way there is: of the archive, the header, the memory.
        raise ConfigError(
            f"`{path}` must be an .npz of arrays. Received: {one_line(error)}. Save it with `np.savez`."
        ) from error


def _is_lone(path: Path) -> bool:
    return path.suffix.lower() == ".npy"


def _described(path: Path, name: str, file: IO[bytes]) -> Rows:
    shape, fortran, dtype = _read_header(file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    return Rows(path, name, dtype, shape, not (fortran and len(shape) > 1))


def _member(name: str) -> str:
    return f"{name}.npy"


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"an array in version {version} of numpy's format")
    return _HEADERS[version](file)


def _read_exactly(file: IO[bytes], size: int) -> bytes:
    parts, missing = [], size
    while missing:
        part = file.read(missing)
        if not part:
            raise EOFError("the file is cut short")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
