"""A file of a dataset in the format of MNIST, gzipped or not."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from edgeconv.datasets.idx import PARTS, read_idx_folder
from tests.fuzz.damage import damaged
from tests.fuzz.target import Reader, Target

FIRST = f"{PARTS[0][0]}-idx3-ubyte"


def _idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


IMAGES, LABELS = np.arange(3 * 8 * 8, dtype=np.uint8).reshape(3, 8, 8), np.arange(3, dtype=np.uint8)
DAMAGED = damaged([_idx(IMAGES)]) | damaged([_idx(IMAGES)]).map(gzip.compress) | damaged([gzip.compress(_idx(IMAGES))])
HEADERS = st.lists(st.sampled_from((0, 1, 3, 8, 2**31, 2**32 - 1)), min_size=3, max_size=3).map(
    lambda sizes: bytes((0, 0, 8, 3)) + b"".join(size.to_bytes(4, "big") for size in sizes) + IMAGES.tobytes()
)


def _open(folder: Path) -> Reader:
    for stem, axes in PARTS[1:]:
        (folder / f"{stem}-idx{axes}-ubyte").write_bytes(_idx(IMAGES if axes == 3 else LABELS))
    return Reader(lambda path: read_idx_folder(path.parent))


TARGET = Target("idx", FIRST, DAMAGED | HEADERS, _open, corpus="idx")
