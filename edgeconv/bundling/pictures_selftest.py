"""Version 1 of `selftest.bin`, for the targets whose programs read classes of pictures only.

It is raw little-endian:

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
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.selftest import MAGIC, SelftestSample


def encode_pictures(samples: Sequence[SelftestSample], limits: Sequence[float]) -> bytes:
    """Return samples of classes of pictures as `selftest.bin` of version 1 holds them."""
    probabilities, prepared = samples[0].outputs
    numbers = (1, len(samples), probabilities.shape[1], *prepared.shape[1:], limits[1], limits[0])
    parts = [struct.pack("<8s6I2f", MAGIC, *numbers)]
    for sample in samples:
        (picture,), (probabilities, prepared) = sample.inputs, sample.outputs
        parts.append(struct.pack("<3Ii", *picture.shape, sample.label))
        parts += [_padded(picture), _padded(prepared), probabilities.astype("<f4").tobytes()]
    return b"".join(parts)


def _padded(pixels: NDArray[Any]) -> bytes:
    data = np.ascontiguousarray(pixels).tobytes()
    return data + bytes(-len(data) % 4)
