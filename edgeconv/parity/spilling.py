"""Answers to many inputs lie in a temporary file, of which the system has in memory what is used."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Answers

MEMORY_BYTES = 2**25
"""Answers of a stage that stay in memory: those of a classifier do."""

FILE_BYTES = 2**28
"""Size of a file; one array may have a larger one."""

VALUES_AT_ONCE = 2**18
"""Numbers that are compared at once, in float64."""

_ALIGNED = 64


class Spill:
    """Where the answers of one stage are kept; they last as long as the arrays do."""

    def __init__(self) -> None:
        self._left = MEMORY_BYTES
        self._file: mmap.mmap | None = None
        self._place = 0

    def keep(self, answers: Answers) -> Answers:
        """Return answers, their arrays moved into a file where there are many."""
        self._left -= sum(array.nbytes for array in answers.values())
        return answers if self._left >= 0 else {name: self._moved(array) for name, array in answers.items()}

    def _moved(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.hasobject or not array.nbytes:
            return array
        start = -(-self._place // _ALIGNED) * _ALIGNED
        if self._file is None or start + array.nbytes > len(self._file):
            try:
                self._file, start = _mapped(max(FILE_BYTES, array.nbytes)), 0
            except OSError:  # There is no room on the disk, or no way to be sure of it.
                return array
        kept = np.frombuffer(self._file, array.dtype, array.size, start).reshape(array.shape)
        kept[...] = array
        self._place = start + array.nbytes
        return kept


def _mapped(size: int) -> mmap.mmap:
    """Return a temporary file that is gone with its last array.

    Raises:
        OSError: so much cannot be had. A file with holes would end the process later, where the disk is full.
    """
    if not hasattr(os, "posix_fallocate"):
        raise OSError("Only posix_fallocate makes sure of room.")
    with TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return mmap.mmap(file.fileno(), size)


def pieces(*arrays: NDArray[Any]) -> Iterator[tuple[NDArray[np.float64], ...]]:
    """Yield the numbers of arrays of one size, in float64, some at a time."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, len(flat[0]), VALUES_AT_ONCE):
        yield tuple(values[start : start + VALUES_AT_ONCE].astype(np.float64) for values in flat)


def samples_at_once(given: NDArray[Any], wanted: NDArray[Any]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield some samples of two arrays, (n, ...), at a time; a number without axes is one sample."""
    each = max(1, VALUES_AT_ONCE // max(1, math.prod(wanted.shape[1:])))
    for start in range(0, len(wanted), each) if wanted.ndim else ():
        yield given[start : start + each], wanted[start : start + each]
    if not wanted.ndim or not len(wanted):
        yield given, wanted
