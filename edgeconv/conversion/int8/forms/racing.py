"""Which of several models with equal answers is the fastest here: run in turn, and believed only beyond the noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.errors import ConfigError
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session

Runner = Callable[[Mapping[str, NDArray[Any]]], Any]
"""Runs a model once."""

LEAST_GAIN = 0.03
"""What another model must save of the first one's time to be taken for it."""

ROUNDS, RUNS = 200, 10
LEAST_ROUNDS = 8
SECONDS = 10.0
"""How long a race may take: large models run fewer rounds."""


@dataclass(frozen=True)
class Lap:
    """The time of one run of a model.

    Attributes:
        min_us: of the fastest round, microseconds.
        median_us: of the median round, microseconds.
        ratio: to the first model, the median over rounds of what both took in the same round.
    """

    min_us: float
    median_us: float
    ratio: float


@dataclass(frozen=True)
class Race:
    """What came of a race.

    Attributes:
        winner: the name of the model to keep; the first one, unless another is faster beyond the noise.
        laps: of each model.
        noise: the largest difference between two halves of the rounds of one model, as a part of its time.
        told_apart: whether the machine was quiet enough to choose: the noise is below what had to be gained.
    """

    winner: str
    laps: Mapping[str, Lap]
    noise: float
    told_apart: bool


def fastest(
    candidates: Mapping[str, onnx.ModelProto],
    feeds: Mapping[str, NDArray[Any]],
    *,
    rounds: int | None = None,
    runs: int | None = None,
    least_gain: float = LEAST_GAIN,
    start: Callable[[onnx.ModelProto], Runner] | None = None,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Race:
    """Run models in turn on the same inputs, and tell which to keep.

    Each round runs every model a few times, and begins with another one, so that what else the machine does meets all
    of them. The fastest round of each counts: noise only ever adds. The winner must be faster by `least_gain` and by
    the noise, in its fastest round and in the median of the ratios; else the first model is kept.

    Args:
        candidates: models by name; the first is the one to beat.
        feeds: inputs by name, for all of them.
        rounds: how often each model has its turn, at least 4; None takes what fits into `SECONDS`.
        runs: how often it runs in one turn; None as well.
        least_gain: a part of the first model's time.
        start: opens a model; by default ONNX Runtime's CPU provider with one thread.
        clock: nanoseconds.

    Raises:
        ConfigError: no candidates, or too few rounds.

    Example:
        >>> race = fastest({"int8": int8, "blocked": to_blocked(int8)}, {"image": images[:1]})  # doctest: +SKIP
        >>> race.winner  # doctest: +SKIP
        'blocked'
    """
    if not candidates or (rounds is not None and rounds < 4) or (runs is not None and runs < 1):
        raise ConfigError(
            "A race requires a candidate, 4 rounds and a run in each. "
            f"Received: {len(candidates)} candidates, rounds={rounds}, runs={runs}. Give more of them."
        )
    runners = {name: (start or _start)(model) for name, model in candidates.items()}
    for run in runners.values():
        run(feeds)
    before = clock()
    for run in runners.values():
        run(feeds)
    fitting = SECONDS * 1e9 / max(clock() - before, 1)
    runs = runs or int(np.clip(fitting / ROUNDS, 1, RUNS))
    rounds = rounds or int(np.clip(fitting / runs, LEAST_ROUNDS, ROUNDS))
    names = list(runners)
    times = np.empty((len(names), rounds))
    for turn in range(rounds):
        for place in range(len(names)):
            number = (place + turn) % len(names)
            run, before = runners[names[number]], clock()
            for _ in range(runs):
                run(feeds)
            times[number, turn] = (clock() - before) / runs / 1000
    return _judged(names, times, least_gain)


def _judged(names: list[str], times: NDArray[np.float64], least_gain: float) -> Race:
    """Judge the times of (models, rounds)."""
    best = times.min(axis=1)
    halves = np.stack([times[:, 0::2].min(axis=1), times[:, 1::2].min(axis=1)])
    noise = float((np.ptp(halves, axis=0) / best).max())
    ratios = np.median(times / times[0], axis=1)
    gain = max(least_gain, noise)
    leader = int(best.argmin())
    wins = best[leader] <= best[0] * (1 - gain) and ratios[leader] <= 1 - gain
    laps = {
        name: Lap(float(best[number]), float(np.median(times[number])), float(ratios[number]))
        for number, name in enumerate(names)
    }
    return Race(names[leader] if wins else names[0], laps, noise, noise <= least_gain)


def _start(model: onnx.ModelProto) -> Runner:
    session = open_session(model.SerializeToString(), CPU, 1)

    def run(feeds: Mapping[str, NDArray[Any]]) -> Any:
        return session.run(None, feeds)

    return run
