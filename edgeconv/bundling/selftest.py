"""The data of a bundle's self-test: pictures, what the preparation makes of them, and what the model answers.

`selftest.bin` is raw little-endian, so that every language reads it without a library:

    8 bytes   "EDGECONV"
    uint32    version, 1
    uint32    number of samples
    uint32    classes, height, width, channels of what the model takes
    float32   grey levels by which the prepared picture may differ
    float32   by which a probability may differ
    then for each sample:
    uint32    height, width, channels of the picture
    int32     its class, -1 where that is not known
    uint8     the picture, (height, width, channels), padded with zeros to a multiple of 4 bytes
    uint8     the prepared picture, padded likewise
    float32   the reference's probabilities, one a class
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAGIC = b"EDGECONV"
VERSION = 1

PREPARED_TOLERANCE = 1.0
"""Grey levels. A float halfway between two bytes may be rounded to either of them, by the order of a sum."""

LEAST_PROBABILITY_TOLERANCE = 0.02
"""Another processor may round int8 steps otherwise, and a prepared picture may be a grey level off here and there.

That is for answers that are sure. Where not even the likeliest class of any sample has a probability of a half, as
among a thousand classes, it is less in proportion: a tolerance above all probabilities would let everything pass.
"""


@dataclass(frozen=True)
class SelftestSample:
    """One picture of a self-test.

    Attributes:
        picture: uint8, (height, width, 1, 3 or 4 channels), 0-255, of any size.
        label: its class; -1 where that is not known.
        prepared: uint8, what the model takes, 0-255, as the numpy preparation makes it.
        probabilities: float32, (classes,), the reference's answer to `prepared`.
    """

    picture: NDArray[np.uint8]
    label: int
    prepared: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Tolerances:
    """How far an app's answers may be from the reference's, each with its reason, for the bundle's manifest."""

    prepared: float
    probabilities: float

    def as_dict(self) -> dict[str, object]:
        """Return the tolerances and their reasons as a JSON object."""
        return {
            "prepared": {
                "limit": self.prepared,
                "unit": "grey levels",
                "reason": "a float halfway between two bytes may be rounded to either of them",
            },
            "probabilities": {
                "limit": self.probabilities,
                "unit": "probability",
                "reason": "twice the largest difference from the fp32 reference measured when this bundle was made, "
                f"at least {LEAST_PROBABILITY_TOLERANCE:g}, or less in proportion where no answer is sure: processors "
                "round int8 steps, and grey levels, otherwise",
            },
        }


def encode(samples: Sequence[SelftestSample], tolerances: Tolerances) -> bytes:
    """Return the samples as `selftest.bin` holds them."""
    height, width, channels = samples[0].prepared.shape
    classes = len(samples[0].probabilities)
    numbers = (VERSION, len(samples), classes, height, width, channels, tolerances.prepared, tolerances.probabilities)
    return b"".join([struct.pack("<8s6I2f", MAGIC, *numbers), *_encode_each(samples)])


def _encode_each(samples: Sequence[SelftestSample]) -> Iterable[bytes]:
    for sample in samples:
        yield struct.pack("<3Ii", *sample.picture.shape, sample.label)
        yield _padded(sample.picture)
        yield _padded(sample.prepared)
        yield sample.probabilities.astype("<f4").tobytes()


def _padded(pixels: NDArray[np.uint8]) -> bytes:
    data = np.ascontiguousarray(pixels).tobytes()
    return data + bytes(-len(data) % 4)
