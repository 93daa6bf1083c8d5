"""The range of each tensor, by what was measured in it: its extremes, percentiles, or the least divergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeconv.config import one_of
from edgeconv.conversion.int8.histogram import Histogram, entropy_range, percentile_range
from edgeconv.conversion.int8.targets import QuantizationScheme
from edgeconv.errors import ConfigError

METHODS = ("minmax", "percentile", "entropy")

TRAINED = "trained"
"""How ranges were found that a model was trained with; extremes where a tensor has none."""

PERCENTILE = 99.99
"""Percent of the values below the upper end, and above the lower: 1 in 10,000 of those that are not 0 is cut off."""

Ranges = Mapping[str, tuple[float, float]]
"""The lowest and the highest value of each tensor by its name in the prepared graph; 0 lies between them."""


@dataclass(frozen=True)
class CalibrationStatistics:
    """What was seen in each tensor of a prepared model.

    Attributes:
        extremes: the smallest and the largest value, by the name of the tensor.
        histograms: by the name of the tensor; empty where they were not asked for.
        count: images seen.
    """

    extremes: Ranges
    histograms: Mapping[str, Histogram]
    count: int


def ranges_of(
    statistics: CalibrationStatistics, method: str, scheme: QuantizationScheme, *, percentile: float = PERCENTILE
) -> Ranges:
    """Return the range of each tensor; equal for equal arguments. All contain 0, and none leaves the extremes.

    Args:
        statistics: see `measure`; with histograms, except for ``"minmax"``.
        method: one of `METHODS`: the extremes; the percentiles at both ends; or the least divergence (`entropy_range`).
        scheme: of the target: symmetric ranges are searched as such.
        percentile: 50 to 100, for ``"percentile"``.

    Raises:
        ConfigError: there is no such method, or the percentile is none.
    """
    one_of("calibration_method", method, METHODS)
    if not 50 < percentile <= 100:
        raise ConfigError(f"`percentile` must be above 50, at most 100. Received: {percentile}. Try {PERCENTILE}.")
    whole = {name: (min(0.0, low), max(0.0, high)) for name, (low, high) in statistics.extremes.items()}
    if method == "minmax":
        return whole
    low, high = scheme.levels
    searched = {
        name: percentile_range(histogram, percentile)
        if method == "percentile"
        else entropy_range(histogram, high - low + 1, symmetric=scheme.activation_symmetric)
        for name, histogram in statistics.histograms.items()
    }
    return whole | searched
