"""The images that int8 ranges are measured on, as a stream: at no time are more of them in memory than a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets import Split
from edgeconv.manifest_blocks import Calibration
from edgeconv.progress import SILENT, Progress

Blocks = Callable[[int], Iterator[NDArray[Any]]]
"""Yields images from a number on, a few at once, (n, height, width, channels)."""

BLOCK_BYTES = 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Survey:
    """Statistics from one pass over all images.

    Attributes:
        sha256: of their bytes, in order.
        low: the smallest value.
        high: the largest value.
        finite: no value is infinite or undefined.
        constant: images of one value.
        digests: uint64, (n,): what equal images have in common; see `digest_of`.
    """

    sha256: str
    low: float
    high: float
    finite: bool
    constant: int
    digests: NDArray[np.uint64]


@dataclass(frozen=True)
class CalibrationImages:
    """Images that can be gone over again and again, and where they come from.

    Attributes:
        count: how many.
        shape: of one, (height, width, channels).
        dtype: of what the model takes: uint8 0-255 where that is pixels.
        record: what the manifest says of them.
        survey: what they are like.
        labels: int64, (n,): their classes; None where nobody knows.
        blocks: yields them from a number on.
    """

    count: int
    shape: tuple[int, ...]
    dtype: str
    record: Calibration
    survey: Survey
    labels: NDArray[np.int64] | None
    blocks: Blocks = field(repr=False)

    def batches(self, size: int, *, start: int = 0) -> Iterator[NDArray[Any]]:
        """Yield the images in order, `size` at once; the last batch may have fewer.

        Args:
            size: at least 1.
            start: number of the first.
        """
        held: list[NDArray[Any]] = []
        missing = size
        for block in self.blocks(start):
            while len(block):
                held.append(block[:missing])
                missing -= len(held[-1])
                block = block[len(held[-1]) :]
                if not missing:
                    yield np.concatenate(held)
                    held, missing = [], size
        if held:
            yield np.concatenate(held)

    def first(self, limit: int) -> NDArray[Any]:
        """Return the first images as one array, (at most `limit`, height, width, channels)."""
        return next(self.batches(min(limit, self.count)))


def draw_calibration(train: Split, *, dataset: str, size: int, seed: int) -> CalibrationImages:
    """Draw calibration images from the training split, class by class in turn.

    Args:
        train: the training split; the test split has no business here.
        dataset: its name, for the record.
        size: how many; the whole split where it has fewer.
        seed: equal seeds draw equal images.

    Returns:
        The images in the order of the split, class counts equal to within one as far as each class has enough.
    """
    generator = np.random.default_rng(seed)
    queues = [generator.permutation(np.flatnonzero(train.labels == label)) for label in np.unique(train.labels)]
    # Rank r of a class is drawn in round r: sorting by round takes one of each class in turn.
    rounds = np.concatenate([np.arange(len(queue)) for queue in queues])
    order = np.argsort(rounds, kind="stable")[:size]
    chosen = np.sort(np.concatenate(queues)[order])
    step = max(1, BLOCK_BYTES // max(1, int(train.images[0].nbytes)))

    def blocks(start: int) -> Iterator[NDArray[Any]]:
        return (train.images[chosen[at : at + step]] for at in range(start, len(chosen), step))

    return surveyed(blocks, len(chosen), dataset=dataset, split="train", seed=seed, labels=train.labels[chosen])


def surveyed(
    blocks: Blocks,
    count: int,
    *,
    dataset: str,
    split: str,
    seed: int,
    labels: NDArray[np.int64] | None,
    progress: Progress = SILENT,
) -> CalibrationImages:
    """Look once at all images, and return them with what was seen.

    Args:
        blocks: yields them.
        count: how many they are, at least 1.
        dataset: for the record.
        split: for the record.
        seed: for the record.
        labels: their classes, if known.
        progress: sees a bar.
    """
    digest, digests = hashlib.sha256(), np.zeros(count, np.uint64)
    low, high, finite, constant, seen = np.inf, -np.inf, True, 0, 0
    shape, dtype = (), ""
    with progress.bar("Reading pictures", count) as advance:
        for block in blocks(0):
            shape, dtype = block.shape[1:], str(block.dtype)
            digest.update(np.ascontiguousarray(block).data)
            digests[seen : seen + len(block)] = [digest_of(image) for image in block]
            rows = block.reshape(len(block), -1)
            lows, highs = rows.min(axis=1), rows.max(axis=1)
            low, high = min(low, float(lows.min())), max(high, float(highs.max()))
            finite &= bool(np.isfinite(lows).all() and np.isfinite(highs).all())
            constant += int((lows == highs).sum())
            seen += len(block)
            advance(len(block), "")
    survey = Survey(digest.hexdigest(), low, high, finite, constant, digests)
    record = Calibration(dataset, split, count, seed, survey.sha256)
    return CalibrationImages(count, shape, dtype, record, survey, labels, blocks)


def digest_of(image: NDArray[Any]) -> int:
    """Return 64 bits that are equal for equal images: one pair in 10**19 of different ones has them in common."""
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest(), "little")


def digests_of(images: Iterable[NDArray[Any]]) -> NDArray[np.uint64]:
    """Return what `digest_of` says of each image, uint64, (n,)."""
    return np.array([digest_of(image) for image in images], np.uint64)
