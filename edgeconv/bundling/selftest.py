"""The data of a bundle's self-test: inputs of its model, what it should answer, and how far it may be off.

`selftest.bin` is raw little-endian, so that every language reads it without a library. Each part is a multiple of 8
bytes long, so that each number lies at a multiple of its size:

    8 bytes   "EDGECONV"
    uint32    version, 3
    uint32    fingerprint of the inputs and outputs; another number is the self-test of another model
    uint32    number of samples
    uint32    number of outputs
    for each output:
    float64   by how much a number in it may differ
    float64   share of its cells that may differ by more
    int64     how many numbers a cell has: a pixel's of a mask are the last axis
    then for each sample:
    int64     its class, -1 where that is not known
    an array  for each input of the model, in its order
    an array  for each output, in its order: what the reference answers
    and each array is:
    uint32    type of its elements: ONNX' number, which is ONNX Runtime's
    uint32    number of axes
    int64     for each axis: its size
    elements  row by row, padded with zeros to a multiple of 8 bytes

Where a picture goes in, it is the one input: uint8, (height, width, 1, 3 or 4 channels), of any size. The last output
is then what its preparation should make of it, uint8, (1, height, width, channels), which may differ by grey levels.
Preparation and inference are judged apart: inference by a run in which the net was fed exactly what the reference was
fed. Where the preparation made something else, by a grey level or more, the prepared picture itself is given, without
its first axis: it passes through untouched. Where even that arrives otherwise, inference is not judged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.interface import CODES

MAGIC = b"EDGECONV"
VERSION = 3

Array = NDArray[Any]


class Limit(NamedTuple):
    """How far an output may be off: its numbers by `largest`, a share of its cells of so many numbers by more."""

    largest: float
    spared: float = 0.0
    cell: int = 1


@dataclass(frozen=True)
class SelftestSample:
    """One sample of a self-test.

    Attributes:
        inputs: an array for each input of the model.
        outputs: an array for each output: what the reference answers, and what the numpy preparation makes.
        label: its class; -1 where that is not known.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    label: int = -1

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (*self.inputs, *self.outputs))


def encode(samples: Sequence[SelftestSample], limits: Sequence[Limit], fingerprint: int) -> bytes:
    """Return the samples as `selftest.bin` holds them.

    Args:
        samples: at least one.
        limits: for each output, how far it may be off.
        fingerprint: of the interface.
    """
    head = struct.pack("<8s4I", MAGIC, VERSION, fingerprint, len(samples), len(limits))
    return b"".join([head, *(struct.pack("<2dq", *limit) for limit in limits), *_encode_each(samples)])


def _encode_each(samples: Sequence[SelftestSample]) -> Iterable[bytes]:
    for sample in samples:
        yield struct.pack("<q", sample.label)
        for array in (*sample.inputs, *sample.outputs):
            yield struct.pack(f"<2I{array.ndim}q", CODES[array.dtype.name], array.ndim, *array.shape)
            data = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
            yield data + bytes(-len(data) % 8)
