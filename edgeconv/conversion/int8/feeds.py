"""What int8 ranges are measured on, as a stream: at no time is more of it in memory than a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.manifest_blocks import Calibration
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

Blocks = Callable[[int], Iterator[Feeds]]
"""Yields samples from a number on, a few at once: arrays by input, (n, ...)."""

BLOCK_BYTES = 2**20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Survey:
    """Statistics from one pass over all samples.

    Attributes:
        sha256: of their bytes, in order.
        low: the smallest value.
        high: the largest value.
        finite: no value is infinite or undefined.
        constant: samples of one value.
        digests: uint64, (n,): what equal samples have in common; see `digest_of`.
    """

    sha256: str
    low: float
    high: float
    finite: bool
    constant: int
    digests: NDArray[np.uint64]


@dataclass(frozen=True)
class CalibrationFeeds:
    """Samples that can be gone over again and again, and where they come from.

    Attributes:
        count: how many.
        shapes: of the first sample, by input; others may have other sizes on axes that the model leaves open.
        dtypes: of what the model takes, by input: uint8 0-255 where that is pixels.
        record: what the manifest says of them.
        survey: what they are like.
        labels: int64, (n,): their classes; None where nobody knows.
        blocks: yields them from a number on.
    """

    count: int
    shapes: dict[str, tuple[int, ...]]
    dtypes: dict[str, str]
    record: Calibration
    survey: Survey
    labels: NDArray[np.int64] | None
    blocks: Blocks = field(repr=False)

    @property
    def values(self) -> int:
        """Numbers in a sample, of all inputs together."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def batches(self, size: int, *, start: int = 0) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the samples in order, `size` at once; the last batch, and one before other sizes, may have fewer.

        Args:
            size: at least 1.
            start: number of the first.
        """
        held: list[dict[str, NDArray[Any]]] = []
        missing = size
        for block in self.blocks(start):
            left = dict(block)
            while samples_in(left):
                if held and _sizes(held[0]) != _sizes(left):
                    yield _joined(held)
                    held, missing = [], size
                held.append({name: array[:missing] for name, array in left.items()})
                taken = samples_in(held[-1])
                missing -= taken
                left = {name: array[taken:] for name, array in left.items()}
                if not missing:
                    yield _joined(held)
                    held, missing = [], size
        if held:
            yield _joined(held)

    def first(self, limit: int) -> dict[str, NDArray[Any]]:
        """Return the first samples as one batch, at most `limit`."""
        return next(self.batches(min(limit, self.count)))


def samples_in(feeds: Feeds) -> int:
    """Return the number of samples in arrays by input."""
    return len(next(iter(feeds.values())))


def _sizes(feeds: Feeds) -> list[tuple[int, ...]]:
    return [array.shape[1:] for array in feeds.values()]


def _joined(parts: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def surveyed(
    blocks: Blocks,
    count: int,
    *,
    dataset: str,
    split: str,
    seed: int,
    labels: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
) -> CalibrationFeeds:
    """Look once at all samples, and return them with what was seen.

    Args:
        blocks: yields them.
        count: how many they are, at least 1.
        dataset: for the record.
        split: for the record.
        seed: for the record.
        labels: their classes, if known.
        progress: sees a bar.
    """
    digests, hashes = np.zeros(count, np.uint64), dict[str, Any]()
    low, high, finite, constant, seen = np.inf, -np.inf, True, 0, 0
    shapes, dtypes = dict[str, tuple[int, ...]](), dict[str, str]()
    with progress.bar("Reading pictures", count) as advance:
        for block in blocks(0):
            number = samples_in(block)
            alike = np.ones(number, bool)
            for name, array in block.items():
                shapes.setdefault(name, array.shape[1:])
                dtypes[name] = str(array.dtype)
                hashes.setdefault(name, hashlib.sha256()).update(np.ascontiguousarray(array).data)
                rows = array.reshape(number, -1)
                lows, highs = rows.min(axis=1), rows.max(axis=1)
                low, high = min(low, float(lows.min())), max(high, float(highs.max()))
                finite &= bool(np.isfinite(lows).all() and np.isfinite(highs).all())
                alike &= lows == highs
            digests[seen : seen + number] = digests_of(block)
            constant += int(alike.sum())
            seen += number
            advance(number, "")
    survey = Survey(_of_all(hashes), low, high, finite, constant, digests)
    record = Calibration(dataset, split, count, seed, survey.sha256)
    return CalibrationFeeds(count, shapes, dtypes, record, survey, labels, blocks)


def _of_all(hashes: dict[str, Any]) -> str:
    """Return the SHA-256 of one input's values, or of those of several inputs by their names."""
    digests = [hashes[name].hexdigest() for name in sorted(hashes)]
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("\n".join([*sorted(hashes), *digests]).encode()).hexdigest()
    )


def digests_of(feeds: Feeds) -> NDArray[np.uint64]:
    """Return what `digest_of` says of each sample, uint64, (n,)."""
    rows: Iterable[tuple[NDArray[Any], ...]] = zip(*feeds.values(), strict=True)
    return np.array([digest_of(*row) for row in rows], np.uint64)


def digest_of(*arrays: NDArray[Any]) -> int:
    """Return 64 bits that are equal for equal samples: one pair in 10**19 of different ones has them in common."""
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return int.from_bytes(digest.digest(), "little")
