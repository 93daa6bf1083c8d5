"""The samples of the self-test, read from their file."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .contract import FINGERPRINT, INPUTS, OUTPUTS, PREPARED, Arrays, BundleError
from .files import open_regular

VERSION = 3
MOST_SAMPLES = 2**20

# ONNX' numbers of types.
TYPES = {
    1: "<f4",
    2: "<u1",
    3: "<i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "?",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}


@dataclass(frozen=True)
class Limit:
    """How far an output may be off.

    Numbers may differ by `largest`, and a share of the cells, `spared`, by more. A cell
    is a pixel or a step, the numbers of the last axis, or one number.
    """

    largest: float
    spared: float
    cell: int


@dataclass(frozen=True)
class Sample:
    """Inputs of the model, and what the reference answers, by name.

    `label` is the index of its class, or -1 where that is not known.
    """

    inputs: Arrays
    outputs: Arrays
    label: int


def read_samples(file: Path) -> tuple[list[Sample], dict[str, Limit]]:
    """Return the samples, and how far each output may be off.

    Raises:
        BundleError: the file is absent, damaged or of another model.
    """
    try:
        with open_regular(file) as stream:
            content = stream.read()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from error
    if len(content) < 24 or content[:8] != b"EDGECONV":
        raise BundleError(f"{file}: is no self-test")
    version, fingerprint, count, outputs = struct.unpack_from("<4I", content, 8)
    if version != VERSION:
        raise BundleError(f"{file}: is no self-test of version {VERSION}")
    if fingerprint != FINGERPRINT:
        raise BundleError(f"{file}: is the self-test of another model")
    names = [*OUTPUTS, PREPARED] if PREPARED else [*OUTPUTS]
    reader = Reader(content, 24)
    try:
        if count > MOST_SAMPLES:
            raise ValueError("more samples than anybody makes")
        if outputs != len(names):
            raise ValueError("another number of outputs")
        limits = {name: reader.limit() for name in names}
        samples = [reader.sample(limits) for _ in range(count)]
    except (struct.error, ValueError, KeyError):
        raise BundleError(f"{file}: is damaged") from None
    if not samples or reader.place != len(content):
        raise BundleError(f"{file}: is damaged")
    return samples, limits


class Reader:
    """Reads one thing after the other; a ValueError ends what is cut short."""

    def __init__(self, content: bytes, place: int) -> None:
        self.content = content
        self.place = place

    def numbers(self, code: str, count: int) -> tuple[Any, ...]:
        """Read numbers of a code of `struct`."""
        found = struct.unpack_from(f"<{count}{code}", self.content, self.place)
        self.place += struct.calcsize(f"<{count}{code}")
        return found

    def array(self) -> NDArray[Any]:
        """Read an array: its type, its axes, and its elements."""
        code, axes = self.numbers("I", 2)
        shape = self.numbers("q", axes)
        dtype, count = np.dtype(TYPES[code]), 1
        for size in shape:
            count *= size
        size = count * dtype.itemsize
        if not 0 <= size <= len(self.content) - self.place:
            raise ValueError("fewer elements than there should be")
        found = np.frombuffer(self.content, dtype, count, self.place).reshape(shape)
        self.place += size + -size % 8
        return found

    def limit(self) -> Limit:
        """Read how far an output may be off."""
        largest, spared = self.numbers("d", 2)
        (cell,) = self.numbers("q", 1)
        if not (largest >= 0 and 0 <= spared < 1 and cell >= 1):
            raise ValueError("a limit that nobody makes")
        return Limit(largest, spared, cell)

    def sample(self, limits: dict[str, Limit]) -> Sample:
        """Read a sample."""
        (label,) = self.numbers("q", 1)
        inputs = {name: self.array() for name in INPUTS}
        outputs = {name: self.array() for name in limits}
        if any(outputs[name].size % limit.cell for name, limit in limits.items()):
            raise ValueError("numbers that are no whole cells")
        return Sample(inputs, outputs, label)
