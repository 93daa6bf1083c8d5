"""Calls of one or several works, timed in turn: whatever slows the machine for a while slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edgeconv.progress import SILENT, Progress
from edgeconv.spread import Interval, interval_of

ROUNDS = 12
"""Turns that each model gets: enough that the interval of their median leaves two of them out at each end."""

_NS_IN_MS = 1e6

_SETTLING_S = 0.01
_LONGEST_SETTLING_S = 0.5


@dataclass(frozen=True)
class Work:
    """Something to time.

    Attributes:
        name: for the progress bar.
        call: does it once.
        leaves_threads: whether threads of it go on waiting for more, and keep a core busy meanwhile.
    """

    name: str
    call: Callable[[], object]
    leaves_threads: bool = False


@dataclass(frozen=True)
class Timing:
    """The times of one work.

    Attributes:
        rounds: the times of the calls of each round, ms.
    """

    rounds: tuple[NDArray[np.float64], ...]

    @property
    def calls(self) -> int:
        """How many calls were timed."""
        return sum(map(len, self.rounds))

    @property
    def medians(self) -> list[float]:
        """The median of each round, ms."""
        return [median(times.tolist()) for times in self.rounds]

    @property
    def interval(self) -> Interval:
        """The median of the rounds' medians, ms, with its interval: calls of one round are not independent."""
        return interval_of(self.medians)

    def percentile(self, share: float) -> float:
        """Return the time, ms, that a share of the calls, 0 to 100, stays within."""
        return float(np.percentile(np.concatenate(self.rounds), share))


def time_in_turn(
    works: Sequence[Work],
    *,
    seconds: float = 0.0,
    calls: int = 1,
    rounds: int = ROUNDS,
    clock: Callable[[], int] = time.perf_counter_ns,
    progress: Progress = SILENT,
    description: str = "Measuring",
) -> list[Timing]:
    """Time each work for some seconds, spread over rounds, every second of them in reverse order.

    Args:
        works: what to time.
        seconds: for each, over all rounds.
        calls: timed in a round in any case.
        rounds: turns that each gets.
        clock: gives nanoseconds.
        progress: sees a bar.
        description: of the bar.

    Returns:
        The times, in the order of the works.
    """
    budget_s = seconds / rounds
    times: list[list[NDArray[np.float64]]] = [[] for _ in works]
    with progress.bar(description, rounds * len(works)) as advance:
        for turn in range(rounds):
            order = range(len(works)) if turn % 2 == 0 else reversed(range(len(works)))
            for place in order:
                times[place].append(_slot(works[place], budget_s, calls, clock))
                advance(1, works[place].name)
    return [Timing(tuple(of_work)) for of_work in times]


def time_calls(
    call: Callable[[], object],
    *,
    seconds: float = 0.0,
    least: int = 1,
    most: int | None = None,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> NDArray[np.float64]:
    """Time as many calls as fit into some seconds.

    Args:
        call: what to time.
        seconds: of calls.
        least: how many are timed in any case.
        most: how many at most, or None.
        clock: gives nanoseconds.

    Returns:
        The time of each, ms.
    """
    taken: list[int] = []
    budget_ns, spent = int(seconds * 1e9), 0
    while len(taken) < least or (spent < budget_ns and (most is None or len(taken) < most)):
        start = clock()
        call()
        taken.append(clock() - start)
        spent += taken[-1]
    return np.array(taken) / _NS_IN_MS


def median_latency_ms(call: Callable[[], object]) -> float:
    """Return the median time of some calls, ms: as many as fit into 0.3 s, at least 3 and at most 50."""
    return float(np.median(time_calls(call, seconds=0.3, least=3, most=50)))


def _slot(work: Work, budget_s: float, calls: int, clock: Callable[[], int]) -> NDArray[np.float64]:
    """Time calls of one work; the first, which finds cold caches, is not counted."""
    work.call()
    taken = time_calls(work.call, seconds=budget_s, least=calls, clock=clock)
    if work.leaves_threads:
        _settle()
    return taken


def _settle() -> None:
    """Wait until the threads of a session have stopped to spin: ONNX Runtime lets them do so for some 100 ms."""
    waited = 0.0
    while waited < _LONGEST_SETTLING_S:
        busy = time.process_time()
        time.sleep(_SETTLING_S)
        waited += _SETTLING_S
        if time.process_time() - busy < _SETTLING_S / 5:
            return
