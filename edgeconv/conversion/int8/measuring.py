"""What the values of each tensor are, measured in a stream of samples, in memory that does not grow with it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.int8.cache import Cache, key_of
from edgeconv.conversion.int8.feeds import CalibrationFeeds, samples_in
from edgeconv.conversion.int8.histogram import BINS, SAMPLES, Histogram, count
from edgeconv.conversion.int8.probing import (
    HIGH,
    LOW,
    SIZE,
    activations_of,
    open_probed,
    with_extremes,
    with_tensors,
)
from edgeconv.conversion.int8.quantizing import Prepared
from edgeconv.conversion.int8.ranges import CalibrationStatistics, Ranges
from edgeconv.errors import ConfigError, UnsupportedModelError
from edgeconv.progress import SILENT, Advance, Progress

BATCH = 50
VALUES_AT_ONCE = 2**21
"""Input values a batch: large pictures are measured a few at once."""

BYTES_AT_ONCE = 2**28
"""Bytes of activations that are held at once; a network with more is measured in parts."""

STORE_EVERY_S = 30.0
"""Seconds of work that an interrupted measurement may lose."""

_NOTHING = 1e-30
"""Width of a range that needs no histogram: one scale or another, it is all zeros."""

_Arrays = dict[str, NDArray[Any]]


def measure(
    prepared: Prepared,
    feeds: CalibrationFeeds,
    *,
    histograms: bool = True,
    cache: Path | None = None,
    progress: Progress = SILENT,
) -> CalibrationStatistics:
    """Measure all activations of a prepared float model, in memory that does not grow with the samples.

    The first pass finds the extremes inside the graph, the second counts the values between them.

    Args:
        prepared: see `quantizing.prepare`.
        feeds: what the model takes. A graph with a batch size of its own leaves out what does not fill a batch.
        histograms: make the second pass too, which percentiles and entropy need.
        cache: folder to keep the measurement in, and to go on from; None keeps nothing.
        progress: sees a bar for each pass.

    Raises:
        ConfigError: there are fewer samples than the only batch size of the graph.
        UnsupportedModelError: a tensor has values that are not finite.
    """
    size = prepared.batch or max(1, min(BATCH, VALUES_AT_ONCE // max(1, feeds.values)))
    seen = feeds.count - feeds.count % size if prepared.batch else feeds.count
    if not seen:
        raise ConfigError(
            f"Calibration of a file with the batch size {size} requires as many samples. Received: {feeds.count}. Give "
            "more of them, or leave `--batch` out."
        )
    tensors = activations_of(prepared.model)
    store = Cache(cache, key_of(prepared.digest, feeds.record.sha256, bins=BINS, samples=SAMPLES, count=seen))
    first = _measure_extremes(prepared, feeds, tensors, _Pass(size, seen, store), progress)
    low, high = first["low"].astype(np.float64), first["high"].astype(np.float64)
    strange = [name for name, *ends in zip(tensors, low, high, strict=True) if not np.isfinite(ends).all()]
    if strange:
        raise UnsupportedModelError(
            f"All activations must be finite on the calibration samples. Received: infinite or undefined values in "
            f"`{strange[0]}`. Look at these and the weights, or export without `--quantize`."
        )
    extremes = dict(zip(tensors, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    if not histograms:
        return CalibrationStatistics(extremes, {}, seen)
    counted = {name: (min(0.0, ends[0]), max(0.0, ends[1])) for name, ends in extremes.items()}
    counted = {name: ends for name, ends in counted.items() if ends[1] - ends[0] > _NOTHING}
    bytes_each = dict(zip(tensors, (4 * first["sizes"] / first["images"]).tolist(), strict=True))
    found: dict[str, Histogram] = {}
    parts = _parts(counted, bytes_each, prepared.batch or 1)
    for number, part in enumerate(parts):
        held = sum(bytes_each[name] for name in part)
        fitting = prepared.batch or max(1, min(size, int(BYTES_AT_ONCE // max(1, held))))
        passes = _Pass(fitting, seen, store, f"histograms{number + 1}of{len(parts)}")
        counts = _count_values(prepared, feeds, part, counted, passes, progress)
        found |= {name: Histogram(*counted[name], row) for name, row in zip(part, counts, strict=True)}
    return CalibrationStatistics(extremes, {name: found[name] for name in counted}, seen)


@dataclass(frozen=True)
class _Pass:
    """How to go once over the samples: batch size, number of samples, and where the work is kept."""

    size: int
    seen: int
    store: Cache
    stage: str = "extremes"

    def batches(
        self, prepared: Prepared, feeds: CalibrationFeeds, state: _Arrays, advance: Advance
    ) -> Iterator[_Arrays]:
        """Yield the batches that `state` has not seen yet, as the graph takes them; keep the state now and then."""
        done = int(state["done"])
        advance(done, "")
        stored = time.monotonic()
        for batch in feeds.batches(self.size, start=done) if done < self.seen else ():
            count = samples_in(batch)
            if done + count > self.seen:
                break
            yield prepared.taken(batch)
            done += count
            state["done"] = np.array(done)
            advance(count, "")
            if time.monotonic() - stored > STORE_EVERY_S or done == self.seen:
                self.store.store(self.stage, state)
                stored = time.monotonic()

    def begun(self, fresh: _Arrays) -> _Arrays:
        """Return what was kept, or `fresh` where that is of another form."""
        kept = self.store.load(self.stage) or {}
        alike = kept.keys() == fresh.keys() and all(kept[name].shape == fresh[name].shape for name in fresh)
        return kept if alike and int(kept["done"]) % self.size in {0, self.seen % self.size} else fresh


def _measure_extremes(
    prepared: Prepared, feeds: CalibrationFeeds, tensors: Sequence[str], once: _Pass, progress: Progress
) -> _Arrays:
    number = len(tensors)
    fresh = {
        "done": np.array(0),
        "images": np.array(0),
        "low": np.full(number, np.inf, np.float32),
        "high": np.full(number, -np.inf, np.float32),
        "sizes": np.zeros(number, np.int64),
    }
    state = once.begun(fresh)
    if int(state["done"]) == once.seen:
        return state
    session = open_probed(with_extremes(prepared.model, tensors))
    asked = [prefix + name for prefix in (LOW, HIGH, SIZE) for name in tensors]
    with progress.bar("Measuring ranges", once.seen) as advance:
        for batch in once.batches(prepared, feeds, state, advance):
            answers = np.array(session.run(asked, batch), np.float64).reshape(3, number)
            # A NaN stays one here, and is found at the end.
            state["low"] = np.minimum(state["low"], answers[0].astype(np.float32))
            state["high"] = np.maximum(state["high"], answers[1].astype(np.float32))
            if not state["images"]:
                state["images"], state["sizes"] = np.array(samples_in(batch)), answers[2].astype(np.int64)
    return state


def _count_values(
    prepared: Prepared,
    feeds: CalibrationFeeds,
    part: Sequence[str],
    counted: Ranges,
    once: _Pass,
    progress: Progress,
) -> NDArray[np.int64]:
    state = once.begun({"done": np.array(0), "counts": np.zeros((len(part), BINS), np.int64)})
    if int(state["done"]) < once.seen:
        session = open_probed(with_tensors(prepared.model, part))
        asked = [output.name for output in session.get_outputs()]
        with progress.bar("Counting values", once.seen) as advance:
            for batch in once.batches(prepared, feeds, state, advance):
                answers = batch | dict(zip(asked, session.run(asked, batch), strict=True))
                for place, name in enumerate(part):
                    state["counts"][place] += count(answers[name], *counted[name], samples_in(batch))
    counts: NDArray[np.int64] = state["counts"]
    return counts


def _parts(tensors: Ranges, bytes_each: Mapping[str, float], batch: int) -> list[list[str]]:
    """Divide the tensors so that those of one batch fit into `BYTES_AT_ONCE`, one tensor at least."""
    parts: list[list[str]] = []
    held = 0.0
    for name in tensors:
        if not parts or held + batch * bytes_each[name] > BYTES_AT_ONCE:
            parts.append([])
            held = 0.0
        parts[-1].append(name)
        held += batch * bytes_each[name]
    return parts
