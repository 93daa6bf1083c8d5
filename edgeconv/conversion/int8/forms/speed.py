"""Finds the fastest of several models with equal answers, by timing them alternately; a doubtful win does not count."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import onnx
from numpy.typing import NDArray

from edgeconv.errors import ConfigError
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session
from edgeconv.spread import Interval, ratio_of, surely_fastest
from edgeconv.timing import Work, time_in_turn

Runner = Callable[[Mapping[str, NDArray[Any]]], Any]
"""Runs a model once."""

LEAST_GAIN = 0.03
"""What another model must save of the first one's time to be taken for it."""

ROUNDS, RUNS = 200, 10
LEAST_ROUNDS = 8
SECONDS = 10.0
"""How long a comparison may take: large models run fewer rounds."""


@dataclass(frozen=True)
class CandidateTime:
    """The time of one run of a model.

    Attributes:
        median_us: over the rounds, microseconds.
        ratio: to the first model, the median over rounds of what both took in the same round, with its interval.
    """

    median_us: float
    ratio: Interval


@dataclass(frozen=True)
class SpeedComparison:
    """Which of several models is the fastest here.

    Attributes:
        winner: the name of the model to keep; the first one, unless another is surely faster.
        times: of each model.
        told_apart: whether the machine was quiet enough to decide: no interval spans the gain that is required.
    """

    winner: str
    times: Mapping[str, CandidateTime]
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
) -> SpeedComparison:
    """Run models alternately on the same inputs, and return which to keep.

    The winner is the fastest of those that surely save `least_gain`: the whole interval of the ratio says so. Where
    there is none, the first model is kept.

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
        >>> comparison = fastest({"int8": int8, "blocked": to_blocked(int8)}, {"image": images[:1]})  # doctest: +SKIP
        >>> comparison.winner  # doctest: +SKIP
        'blocked'
    """
    if not candidates or (rounds is not None and rounds < 4) or (runs is not None and runs < 1):
        raise ConfigError(
            "Comparing speed requires a candidate, 4 rounds and a run in each. "
            f"Received: {len(candidates)} candidates, rounds={rounds}, runs={runs}. Give more of them."
        )
    works = [Work(name, partial((start or _start)(model), feeds)) for name, model in candidates.items()]
    once_s = sum(timing.medians[0] for timing in time_in_turn(works, rounds=1, clock=clock)) / 1000
    fitting = SECONDS / max(once_s, 1e-9)
    runs = runs or int(min(max(fitting / ROUNDS - 1, 1), RUNS))
    rounds = rounds or int(min(max(fitting / (runs + 1), LEAST_ROUNDS), ROUNDS))
    timings = dict(zip(candidates, time_in_turn(works, calls=runs, rounds=rounds, clock=clock), strict=True))
    first = next(iter(candidates))
    ratios = {name: ratio_of(timing.medians, timings[first].medians) for name, timing in timings.items()}
    winner = surely_fastest(ratios, first, least_gain=least_gain)
    doubtful = any(ratio.low < 1.0 - least_gain <= ratio.high for ratio in ratios.values())
    times = {name: CandidateTime(1000 * timing.interval.median, ratios[name]) for name, timing in timings.items()}
    return SpeedComparison(winner, times, not doubtful)


def _start(model: onnx.ModelProto) -> Runner:
    session = open_session(model.SerializeToString(), CPU, 1)

    def run(feeds: Mapping[str, NDArray[Any]]) -> Any:
        return session.run(None, feeds)

    return run
