"""A process a contender: it opens one file, and makes calls when it is asked to."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.inference.contenders import LIMIT, Contender
from tests.benchmarks.inference.runners import LIBRARIES, RUNNERS

WARM_UP_SHARE = 10
"""So many calls have one more before the clock starts, and a few have one; a single slow one needs none."""

Truth = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Ready:
    """What a process found when it opened its file.

    Attributes:
        answers: to the images of the check.
        load_ms: to open it, its library imported already.
        memory_bytes: by which the process grew from there through the first answer.
    """

    answers: NDArray[np.float32]
    load_ms: float
    memory_bytes: int


class Child:
    """A contender in a process of its own.

    Args:
        contender: what it opens.
        truth: the images of the check, `scale` and `offset`.
        threads: of the library.

    Raises:
        RuntimeError: the contender cannot be opened, or fails on the images.
    """

    def __init__(self, contender: Contender, truth: Truth, threads: int) -> None:
        context = get_context("spawn")
        self.contender = contender
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, contender, truth, threads), daemon=True)
        self._process.start()
        other.close()
        self.ready: Ready = self._answer()

    def times(self, batch: int, calls: int) -> NDArray[np.int64]:
        """Return the nanoseconds of each of so many calls.

        Raises:
            RuntimeError: the contender fails on such a batch.
        """
        self._connection.send((batch, calls))
        answer: NDArray[np.int64] = self._answer()
        return answer

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(5)
        self._process.kill()

    def _answer(self) -> Any:
        try:
            answer = self._connection.recv()
        except EOFError:
            raise RuntimeError("its process died") from None
        if isinstance(answer, Exception):
            raise RuntimeError(f"{type(answer).__name__}: {answer}".splitlines()[0][:200])
        return answer


def _serve(connection: Connection, contender: Contender, truth: Truth, threads: int) -> None:
    """Live until the pipe closes."""
    # What libraries print about themselves is not the benchmark's output.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    try:
        runner, ready = _open(contender, truth, threads)
        connection.send(ready)
        pixels = truth["images"]
        scaling = float(truth["scale"]), float(truth["offset"])
        while True:
            batch, calls = connection.recv()
            images = runner.fit(np.resize(pixels, (batch, *pixels.shape[1:])), *scaling)
            for _ in range(-(-calls // WARM_UP_SHARE) if calls > 1 else 0):
                runner.call(images)
            connection.send(_timed(runner.call, images, calls))
    except EOFError:
        return
    except Exception as error:  # Whatever a library raises is the answer.
        connection.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _timed(call: Any, images: NDArray[Any], calls: int) -> NDArray[np.int64]:
    taken = np.empty(calls, np.int64)
    for number in range(calls):
        start = perf_counter_ns()
        call(images)
        taken[number] = perf_counter_ns() - start
    return taken


def _open(contender: Contender, truth: Truth, threads: int) -> tuple[Any, Ready]:
    import_module(LIBRARIES[contender.runner])
    gc.collect()
    before = _resident_bytes()
    start = perf_counter_ns()
    runner = RUNNERS[contender.runner](contender, threads)
    load_ms = (perf_counter_ns() - start) / 1e6
    images = runner.fit(truth["images"][:1], float(truth["scale"]), float(truth["offset"]))
    runner.call(images)
    memory_bytes = _resident_bytes() - before
    if contender.side == LIMIT:
        return runner, Ready(np.empty(0, np.float32), load_ms, memory_bytes)
    scaled = runner.fit(truth["images"], float(truth["scale"]), float(truth["offset"]))
    parts = [scaled[start : start + runner.check] for start in range(0, len(scaled), runner.check)]
    answers = [np.array(runner.scores(runner.call(part)), np.float32) for part in parts]
    return runner, Ready(np.concatenate(answers), load_ms, memory_bytes)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
