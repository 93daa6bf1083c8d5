"""The ways in which `tune` lets a batch be cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from edgeconv.benchmarking.configurations import Configuration
from edgeconv.runtime.parts import LARGE
from edgeconv.runtime.providers import CPU

SMALLEST = 8
"""Images of a part at least: below, a call costs more than its images."""


def by_default(configuration: Configuration, batch: int, cores: int) -> Configuration:
    """Return what runs where nothing is tuned and nobody says a number of threads: a large batch on all cores."""
    return _with_calls(configuration, cores) if batch >= LARGE and configuration.provider == CPU else configuration


def spread_over_cores(
    configurations: Sequence[Configuration], counts: Sequence[int], batch: int
) -> list[Configuration]:
    """Return configurations with each number of threads: inside operators, or, on the CPU, for parts of a batch.

    Args:
        configurations: variants on providers.
        counts: the numbers of threads.
        batch: images that may be divided.
    """
    inside = [replace(configuration, threads=count) for count in counts for configuration in configurations]
    on_cpu = [configuration for configuration in configurations if configuration.provider == CPU]
    several = [count for count in counts if 1 < count <= batch]
    return [*inside, *(_with_calls(configuration, count) for count in several for configuration in on_cpu)]


def _with_calls(configuration: Configuration, calls: int) -> Configuration:
    return replace(configuration, threads=1, options=replace(configuration.options, calls_at_once=calls))


def sizes_of_parts(configuration: Configuration, batch: int) -> list[int]:
    """Return the sizes of parts to try: the powers of two from `SMALLEST` on, and all that a call can get of a batch.

    Example:
        >>> sizes_of_parts(Configuration("int8"), 50)
        [8, 16, 32, 50]
    """
    largest = math.ceil(batch / (configuration.options.calls_at_once or 1))
    return [
        *(2**power for power in range(SMALLEST.bit_length() - 1, largest.bit_length()) if 2**power < largest),
        largest,
    ]
