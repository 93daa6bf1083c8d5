from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.benchmarking import measuring, tuning
from edgeconv.benchmarking.footprint import Footprint
from edgeconv.progress import SILENT
from edgeconv.timing import Timing, Work

ROUNDS = 12


class Listener:
    """Remembers what a stage says."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.bar = SILENT.bar

    def say(self, message: str) -> None:
        self.words.append(message)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """Return a copy of the artifact, of which nothing but what a test does changes."""
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], float]], None]:
    """Return a function that makes calls take the time, ms, that their names give, in a spread of 1 %."""

    def make(time_ms: Callable[[str], float]) -> None:
        def time_in_turn(works: Sequence[Work], **settings: Any) -> list[Timing]:
            for work in works:
                work.call()
            spread = 1.0 + 0.01 * np.linspace(-0.5, 0.5, ROUNDS)
            return [Timing(tuple(np.full(4, time_ms(work.name) * one) for one in spread)) for work in works]

        monkeypatch.setattr(measuring, "time_in_turn", time_in_turn)
        monkeypatch.setattr(tuning, "time_in_turn", time_in_turn)

    return make


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let load times and memory be made up: each takes a process, half a second."""
    monkeypatch.setattr(
        measuring,
        "footprint_of",
        lambda _files, _configuration, batches: Footprint(2.0, {batch: 1000 * batch for batch in batches}),
    )
