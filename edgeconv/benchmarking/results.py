"""What a benchmark found: a row for each configuration, and which of their times differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgeconv.benchmarking.machine import Machine
from edgeconv.spread import Interval


@dataclass(frozen=True)
class BenchmarkRow:
    """One variant on one provider, with one number of threads and one batch size.

    Attributes:
        variant: which file.
        provider: ONNX Runtime's name of the execution provider.
        threads: threads inside an operator.
        batch: images per call.
        p50_latency_ms: median time of a call, over the medians of the rounds, and
        p50_low_ms, p50_high_ms: its interval of at least 95 % confidence.
        p95_latency_ms, p99_latency_ms: times that 95 and 99 % of all calls stay within.
        images_per_second: of the median call.
        calls: how many were timed.
        load_ms: from the name of the file to a session, in a fresh process; None where that process failed.
        memory_bytes: what that process took at most beyond what it had before the load; None where not known.
        size_bytes: of the file.
        accuracy: share of right answers, 0 to 1; None where it is not known.
        picture: width and height of the picture that a call prepares and answers; None: it answers prepared images.
    """

    variant: str
    provider: str
    threads: int
    batch: int
    p50_latency_ms: float
    p50_low_ms: float
    p50_high_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    images_per_second: float
    calls: int
    load_ms: float | None
    memory_bytes: int | None
    size_bytes: int
    accuracy: float | None
    picture: str | None = None

    @property
    def subject(self) -> str:
        """The variant, and what it is given where that is no prepared image."""
        return self.variant if self.picture is None else f"{self.variant}, {self.picture} picture"

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class RowComparison:
    """The times of one row as a multiple of another's, over rounds in which both ran."""

    faster: str
    slower: str
    ratio: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return {
            "faster": self.faster,
            "slower": self.slower,
            "ratio": self.ratio.as_dict(),
            "told_apart": self.ratio.told_apart,
            "too_noisy": self.ratio.too_wide,
        }


@dataclass(frozen=True)
class Benchmark:
    """All variants of a model on one machine.

    Attributes:
        path: the artifact's folder, or the lone file.
        name: of the model.
        machine: what it ran on.
        accuracy_source: where the accuracies are from.
        rows: the figures.
        comparisons: each two variants under equal conditions.
    """

    path: Path
    name: str
    machine: Machine
    accuracy_source: str
    rows: tuple[BenchmarkRow, ...]
    comparisons: tuple[RowComparison, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the benchmark as a JSON object."""
        return {
            "name": self.name,
            "machine": self.machine.as_dict(),
            "accuracy_source": self.accuracy_source,
            "rows": [row.as_dict() for row in self.rows],
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
        }

    def noise(self) -> str | None:
        """Say in one line that the machine is too noisy to tell variants apart, or return None where it is not."""
        noisy = [comparison for comparison in self.comparisons if comparison.ratio.too_wide]
        if not noisy:
            return None
        worst = max(noisy, key=lambda comparison: comparison.ratio.high / comparison.ratio.low)
        return (
            f"This machine is too noisy to tell {len(noisy)} of {len(self.comparisons)} pairs of variants apart, such "
            f"as {worst.faster} and {worst.slower}: the time of the one is {worst.ratio.low:.2f} to "
            f"{worst.ratio.high:.2f} times that of the other. Stop other work, or measure longer with `--seconds`."
        )
