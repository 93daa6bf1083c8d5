from __future__ import annotations

from typing import Any

import pytest

from edgeconv import timing
from edgeconv.timing import Work, median_latency_ms, time_calls, time_in_turn


class Clock:
    """Time that goes on by what is called, and by nothing else."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.calls: list[str] = []

    def __call__(self) -> int:
        return self.now_ns

    def work(self, name: str, *times_ms: float, leaves_threads: bool = False) -> Work:
        """Return work whose calls take these times, the last one from then on."""
        coming = list(times_ms)

        def call() -> None:
            self.calls.append(name)
            self.now_ns += round(1e6 * (coming.pop(0) if len(coming) > 1 else coming[0]))

        return Work(name, call, leaves_threads)


def test_the_first_call_of_a_round_is_not_counted() -> None:
    clock = Clock()
    (found,) = time_in_turn([clock.work("a", 99.0, 1.0)], seconds=0.003, rounds=1, clock=clock)
    assert found.rounds[0].tolist() == [1.0, 1.0, 1.0]


def test_works_take_turns_and_every_second_round_goes_backwards() -> None:
    clock = Clock()
    time_in_turn([clock.work(name, 1.0) for name in "abc"], seconds=0.003, rounds=3, clock=clock)
    assert "".join(clock.calls) == "aabbcc" + "ccbbaa" + "aabbcc"


def test_slow_work_is_called_once_a_round_and_fast_work_often() -> None:
    clock = Clock()
    slow, fast = time_in_turn(
        [clock.work("slow", 900.0), clock.work("fast", 2.0)], seconds=0.12, rounds=12, clock=clock
    )
    assert (slow.calls, fast.calls) == (12, 12 * 5)


def test_the_median_is_of_the_rounds_and_percentiles_of_all_calls() -> None:
    clock = Clock()
    # Five rounds of two calls each, of which the first is not counted; the third round is slow.
    times = [value for counted in (1.0, 1.2, 50.0, 1.1, 1.3) for value in (7.0, counted)]
    (found,) = time_in_turn([clock.work("a", *times)], seconds=1e-9, rounds=5, clock=clock)
    assert found.medians == [1.0, 1.2, 50.0, 1.1, 1.3]
    assert found.interval.median == 1.2
    assert found.percentile(100.0) == 50.0
    assert found.percentile(50.0) == 1.2


def test_threads_that_spin_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of one session would take the core from the next."""
    clock, busy_s = Clock(), iter([0.0, 0.01, 0.01, 0.02, 0.02, 0.0201])
    monkeypatch.setattr(timing.time, "process_time", lambda: next(busy_s))
    monkeypatch.setattr(timing.time, "sleep", lambda _: clock.calls.append("wait"))
    time_in_turn(
        [clock.work("two", 1.0, leaves_threads=True), clock.work("one", 1.0)], seconds=1e-9, rounds=1, clock=clock
    )
    assert clock.calls == ["two", "two", "wait", "wait", "wait", "one", "one"]


def test_threads_that_never_rest_are_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits, busy_s = Clock(), [], iter(range(1000))
    monkeypatch.setattr(timing.time, "process_time", lambda: next(busy_s))
    monkeypatch.setattr(timing.time, "sleep", waits.append)
    time_in_turn([clock.work("two", 1.0, leaves_threads=True)], seconds=1e-9, rounds=1, clock=clock)
    assert sum(waits) == pytest.approx(0.5, abs=0.02)


def test_calls_are_timed_until_the_time_is_spent_within_their_bounds() -> None:
    def times(call_ms: float, **bounds: Any) -> list[float]:
        clock = Clock()
        return list(time_calls(clock.work("a", call_ms).call, seconds=0.01, clock=clock, **bounds))

    assert times(3.0) == [3.0] * 4
    assert times(30.0, least=3, most=50) == [30.0] * 3
    assert times(0.01, least=3, most=50) == [0.01] * 50


def test_the_median_latency_is_that_of_at_least_three_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(timing.time_calls, "__kwdefaults__", {**timing.time_calls.__kwdefaults__, "clock": clock})
    assert median_latency_ms(clock.work("a", 5000.0, 1000.0, 2000.0).call) == 2000.0
    assert clock.calls == ["a"] * 3
