"""Histograms of fixed bins, and the ranges that percentiles and entropy find in them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 2048
"""Bins of a histogram, as in TensorRT's calibration (Migacz, "8-bit Inference with TensorRT", GTC 2017)."""

SAMPLES = 2**16
"""Values of a tensor that are counted for an image; a larger tensor gives every k-th value."""

CANDIDATES = 100
"""Ends of a range that the entropy search tries on each side."""

_SMALLEST = 1 / 8
"""Part of the range that the search goes down to: 256 of 2048 bins, one for each level; there nothing is lost."""

_SPIKE = 0.01
"""Part of all values that one bin must hold to be a spike, where it also holds many times what those around it do."""

_AROUND = 8
_ABOVE = 4

Range = tuple[float, float]


@dataclass(frozen=True)
class Histogram:
    """Counts of the values of a tensor in bins of one width.

    Attributes:
        low: left edge of the first bin, at most 0.
        high: right edge of the last bin, at least 0.
        counts: int64, (bins,).
    """

    low: float
    high: float
    counts: NDArray[np.int64]

    @property
    def centers(self) -> NDArray[np.float64]:
        """Middles of the bins, (bins,)."""
        width = (self.high - self.low) / len(self.counts)
        return self.low + width * np.arange(0.5, len(self.counts), dtype=np.float64)


def count(values: NDArray[Any], low: float, high: float, images: int) -> NDArray[np.int64]:
    """Count values in `BINS` bins from `low` to `high`; of large tensors every k-th value.

    Zeros are not counted: every range represents them exactly, and half of what a Relu answers would outvote the rest.

    Args:
        values: float32, any shape; those outside fall into the first or the last bin.
        low: left edge of the first bin.
        high: right edge of the last bin, above `low`.
        images: images that the values belong to.
    """
    flat = values.reshape(-1)
    step = max(1, len(flat) // (SAMPLES * max(1, images)))
    # A step that shares a factor with the rows would see some of the columns only.
    while step > 1 and math.gcd(step, len(flat)) > 1:
        step += 1
    seen = flat[::step]
    counts = np.bincount(_places(seen, low, high), minlength=BINS)
    counts[_places(np.zeros(1, np.float32), low, high)] -= len(seen) - np.count_nonzero(seen)
    return counts


def _places(values: NDArray[Any], low: float, high: float) -> NDArray[np.int64]:
    """Return the bin of each value."""
    places = (values - np.float32(low)) * np.float32(BINS / (high - low))
    whole: NDArray[np.int64] = np.clip(places, 0, BINS - 1).astype(np.int64)
    return whole


def percentile_range(histogram: Histogram, percentile: float) -> Range:
    """Return the range that leaves out ``100 - percentile`` percent of the values at either end; it contains 0."""
    total = histogram.counts.sum()
    if total == 0:
        return histogram.low, histogram.high
    edges = np.linspace(histogram.low, histogram.high, len(histogram.counts) + 1)
    shares = np.concatenate([[0.0], np.cumsum(histogram.counts) / total])
    low, high = np.interp([1 - percentile / 100, percentile / 100], shares, edges)
    # Between two edges with nothing in between the interpolation takes either: 0 % and 100 % are the ends themselves.
    return min(0.0, float(low) if shares[1] < 1 else histogram.low), max(0.0, float(high))


def entropy_range(histogram: Histogram, levels: int, *, symmetric: bool) -> Range:
    """Return the range of the smallest Kullback-Leibler divergence between the values and the quantized values.

    Both ends are searched, the upper one first, then the lower one under it. Source: Migacz, "8-bit Inference with
    TensorRT", GTC 2017: what lies outside counts for the outermost bins of the reference, and not for the quantized.

    Args:
        histogram: of the tensor.
        levels: integers that a range is divided into, 255 or 256.
        symmetric: the range reaches as far below 0 as above.
    """
    histogram = Histogram(histogram.low, histogram.high, _without_spikes(histogram.counts))
    if symmetric:
        limit = max(-histogram.low, histogram.high)
        limit = _best([(-limit * part, limit * part) for part in _parts()], histogram, levels)[1]
        return (-limit if histogram.low < 0 else 0.0), limit
    low, high = histogram.low, histogram.high
    low, high = _best([(low, high * part) for part in _parts()], histogram, levels) if high > 0 else (low, high)
    return _best([(low * part, high) for part in _parts()], histogram, levels) if low < 0 else (low, high)


def _without_spikes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counts with spikes lowered to their surroundings.

    One value that many elements share, such as what a layer makes of a black background, is off by half a step at most
    in any range. To the divergence it is the whole difference, and the range would be cut down to the spike's width.
    """
    window = np.ones(2 * _AROUND + 1)
    window[_AROUND] = 0
    limits = _ABOVE * np.convolve(counts, window, mode="same") / (2 * _AROUND)
    spikes = (counts > _SPIKE * counts.sum()) & (counts > limits)
    return np.where(spikes, limits.astype(np.int64), counts)


def _parts() -> NDArray[np.float64]:
    """Return the parts of an end that are tried, the whole first: of equals the first is taken."""
    return np.linspace(1.0, _SMALLEST, CANDIDATES)


def _best(candidates: list[Range], histogram: Histogram, levels: int) -> Range:
    costs = [_divergence(histogram, candidate, levels) for candidate in candidates]
    low, high = candidates[int(np.argmin(costs))]
    return float(low), float(high)


def _divergence(histogram: Histogram, candidate: Range, levels: int) -> float:
    """Return the divergence of the values quantized on a range from the values themselves, in nats."""
    low, high = candidate
    centers, counts = histogram.centers, histogram.counts
    inside = (centers >= low) & (centers <= high)
    if not counts[inside].sum() or high <= low:
        return math.inf
    first, last = np.flatnonzero(inside)[[0, -1]]
    seen = counts[first : last + 1].astype(np.float64)
    reference = seen.copy()
    reference[0] += counts[:first].sum()
    reference[-1] += counts[last + 1 :].sum()
    # A level is as likely as the bins in it, and says nothing of which of them: those that have values share it.
    level = np.rint((centers[first : last + 1] - low) * ((levels - 1) / (high - low))).astype(np.int64)
    filled = seen > 0
    shared = np.bincount(level, weights=seen) / np.maximum(1, np.bincount(level, weights=filled))
    quantized = np.where(filled, shared[level], 0.0)
    reference /= reference.sum()
    quantized /= quantized.sum()
    some = reference > 0
    # An outermost bin that only outliers fill has no counterpart: a small one, or nothing could ever be cut off there.
    return float(np.sum(reference[some] * np.log(reference[some] / np.maximum(quantized[some], 1e-9))))
