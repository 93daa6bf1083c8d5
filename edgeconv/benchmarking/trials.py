"""What `tune` tried, step by step, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeconv.benchmarking.configurations import Configuration
from edgeconv.benchmarking.machine import Machine
from edgeconv.spread import Interval


@dataclass(frozen=True)
class Trial:
    """One configuration that was tried.

    Attributes:
        step: what was varied: ``"variant, provider, threads"``, ``"batch"``, ``"spinning"``, ``"optimization"``,
            ``"memory"``, or ``"final"``.
        configuration: what was timed.
        p50_latency_ms: the median time of a call.
        ratio: its time as a multiple of that of the best configuration before this step; in the last, of the default.
        chosen: whether it was the best of its step.
    """

    step: str
    configuration: Configuration
    p50_latency_ms: float
    ratio: Interval
    chosen: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the trial as a JSON object."""
        return {
            "step": self.step,
            "variant": self.configuration.variant,
            "provider": self.configuration.provider,
            "threads": self.configuration.threads,
            "options": self.configuration.options.as_dict(),
            "p50_latency_ms": self.p50_latency_ms,
            "ratio": self.ratio.as_dict(),
            "chosen": self.chosen,
        }


@dataclass(frozen=True)
class Tuning:
    """What was found best for this device.

    Attributes:
        path: the artifact's folder.
        machine: the device.
        batch: images per call.
        default: how the model runs without tuning.
        best: how it runs best; the default where nothing is surely faster.
        ratio: the time of the best as a multiple of the default's.
        trials: all configurations that were tried.
        unsaved: why it is not in the manifest, or None.
    """

    path: Path
    machine: Machine
    batch: int
    default: Configuration
    best: Configuration
    ratio: Interval
    trials: tuple[Trial, ...]
    unsaved: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the tuning as a JSON object."""
        return {
            "machine": self.machine.as_dict(),
            "batch": self.batch,
            "default": str(self.default),
            "best": str(self.best),
            "ratio": self.ratio.as_dict(),
            "trials": [trial.as_dict() for trial in self.trials],
        }

    def sentence(self) -> str:
        """Say in one line what was found."""
        if self.best == self.default:
            return f"Nothing is significantly faster here than the default: {self.default}."
        return (
            f"Best here: {self.best}. It takes {self.ratio.median:.2f} (95 % interval {self.ratio.low:.2f} to "
            f"{self.ratio.high:.2f}) of the time of the default: {self.default}."
        )
