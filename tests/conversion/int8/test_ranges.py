from __future__ import annotations

import numpy as np
import pytest

from edgeconv.conversion.int8.histogram import BINS, SAMPLES, Histogram, count, entropy_range, percentile_range
from edgeconv.conversion.int8.ranges import METHODS, CalibrationStatistics, ranges_of
from edgeconv.conversion.int8.targets import TARGETS
from edgeconv.errors import ConfigError
from tests.conversion.randomness import RNG

NORMAL = RNG.normal(size=400_000).astype(np.float32)


def _histogram(values: np.ndarray) -> Histogram:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    return Histogram(low, high, count(values, low, high, 100))


def _noise(values: np.ndarray, low: float, high: float, levels: int = 256) -> float:
    """Return the mean square error of values that are quantized on a range."""
    scale = (high - low) / (levels - 1)
    return float(np.square(values - (np.rint((np.clip(values, low, high) - low) / scale) * scale + low)).mean())


def _statistics(**tensors: np.ndarray) -> CalibrationStatistics:
    extremes = {name: (float(values.min()), float(values.max())) for name, values in tensors.items()}
    return CalibrationStatistics(
        extremes, {name: _histogram(values) for name, values in tensors.items() if values.any()}, 100
    )


def test_counts_are_those_of_the_bins_without_zeros() -> None:
    values = np.concatenate([np.maximum(NORMAL, 0), [0.0] * 50]).astype(np.float32)
    counts = _histogram(values).counts
    assert counts.shape == (BINS,)
    assert counts.sum() == np.count_nonzero(values)
    theirs, _ = np.histogram(values[values > 0], bins=BINS, range=(0, values.max()))
    assert np.abs(counts - theirs).max() <= 3


def test_values_outside_of_the_bins_are_counted_at_the_ends() -> None:
    counts = count(np.array([-9, -1, 0.5, 1, 9], np.float32), -1.0, 1.0, 1)
    assert (counts[0], counts[-1], counts.sum()) == (2, 2, 5)


def test_of_large_tensors_every_kth_value_of_every_column_is_counted() -> None:
    """Columns that only hold one value each are all seen, though the step is a multiple of their number."""
    values = np.broadcast_to(np.arange(1, 9, dtype=np.float32), (SAMPLES, 8))
    counts = count(values, 0.0, 8.0, 1)
    assert 0.5 * SAMPLES < counts.sum() <= SAMPLES
    filled = counts[counts > 0]
    assert len(filled) == 8
    assert filled.max() <= 1.1 * filled.min()


@pytest.mark.parametrize("percentile", [99.0, 99.9, 99.99])
def test_percentiles_are_those_of_the_values(percentile: float) -> None:
    low, high = percentile_range(_histogram(NORMAL), percentile)
    np.testing.assert_allclose((low, high), np.percentile(NORMAL, [100 - percentile, percentile]), atol=0.01)


def test_a_percentile_of_a_hundred_is_the_extremes() -> None:
    assert percentile_range(_histogram(NORMAL), 100.0) == (float(NORMAL.min()), float(NORMAL.max()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["x86", "tensorrt"])
def test_what_a_relu_answers_has_a_range_from_zero(method: str, target: str) -> None:
    ranges = ranges_of(_statistics(relu=np.maximum(NORMAL, 0)), method, TARGETS[target])
    assert ranges["relu"][0] == 0.0
    assert 1.5 < ranges["relu"][1] <= NORMAL.max()


@pytest.mark.parametrize("method", METHODS)
def test_zero_is_in_every_range_and_none_leaves_the_extremes(method: str) -> None:
    tensors = {"above": NORMAL + 20, "below": NORMAL - 20, "both": NORMAL, "one": np.full(99, 3, np.float32)}
    tensors["none"] = np.zeros(99, np.float32)
    ranges = ranges_of(_statistics(**tensors), method, TARGETS["x86"])
    assert ranges.keys() == tensors.keys()
    for name, values in tensors.items():
        low, high = ranges[name]
        assert min(0.0, float(values.min())) <= low <= 0.0 <= high <= max(0.0, float(values.max())), name


def test_entropy_cuts_outliers_off_and_minmax_does_not() -> None:
    """One value in 40,000 is ten times as large: seven of eight steps would be left to it."""
    values = NORMAL.copy()
    values[:5], values[5:10] = 50, -50
    histogram = _histogram(values)
    low, high = entropy_range(histogram, 256, symmetric=False)
    assert (histogram.low, histogram.high) == (-50, 50)
    assert -8 < low < -2.5
    assert 2.5 < high < 8
    inside = values[np.abs(values) < 10]
    assert _noise(inside, low, high) < 0.1 * _noise(inside, -50, 50)


def test_entropy_leaves_a_range_without_outliers_alone() -> None:
    values = RNG.uniform(-3, 5, 400_000).astype(np.float32)
    low, high = entropy_range(_histogram(values), 256, symmetric=False)
    assert low < -2.9
    assert high > 4.9


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_entropy_is_not_misled_by_a_value_that_many_share(share: float) -> None:
    """What a layer makes of black: as a part of all it is the whole divergence, and as an error it is nothing."""
    values = np.abs(NORMAL)
    values[: int(share * len(values))] = 0.137
    _, high = entropy_range(_histogram(values), 256, symmetric=False)
    assert high > 2.5


def test_symmetric_ranges_reach_as_far_below_as_above() -> None:
    values = NORMAL.copy()
    values[:5] = 50
    low, high = entropy_range(_histogram(values), 255, symmetric=True)
    assert low == -high
    assert 2.5 < high < 8


def test_ranges_are_equal_for_equal_statistics() -> None:
    statistics = _statistics(a=NORMAL, b=np.abs(NORMAL))
    for method in METHODS:
        first, again = (ranges_of(statistics, method, TARGETS["arm64"]) for _ in range(2))
        assert first == again


def test_a_method_or_percentile_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="`calibration_method` must be one of minmax, percentile, entropy"):
        ranges_of(_statistics(a=NORMAL), "kl", TARGETS["x86"])
    for percentile in (50, 101):
        with pytest.raises(ConfigError, match=f"`percentile` must be above 50, at most 100. Received: {percentile}"):
            ranges_of(_statistics(a=NORMAL), "percentile", TARGETS["x86"], percentile=percentile)
