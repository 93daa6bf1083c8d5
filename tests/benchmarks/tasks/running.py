"""What files answer to test samples, and how long they take, alternately, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tests.benchmarks.tasks.network import Answers

BATCH = 100
ROUNDS = 60
ROUND_S = 0.02


def session_of(model: Path | bytes) -> onnxruntime.InferenceSession:
    """Open a file on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    given = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def answers_of(model: Path | bytes, inputs: NDArray[Any]) -> Answers:
    """Return what a file answers to its one input."""
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    parts = [session.run(names, _feeds(session, inputs[at : at + BATCH])) for at in range(0, len(inputs), BATCH)]
    return {name: np.concatenate([part[place] for part in parts]) for place, name in enumerate(names)}


def time_alternately(files: Mapping[str, Path], inputs: NDArray[Any]) -> dict[str, list[float]]:
    """Return the microseconds of a call with one sample, for each file and round; files take turns in each round.

    They are those that the thread had the processor for, so that others on a busy machine count less.
    """
    calls = {name: _call(session_of(file), inputs[:1]) for name, file in files.items()}
    found: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            found[name].append(_microseconds(call))
    return found


def _call(session: onnxruntime.InferenceSession, one: NDArray[Any]) -> Callable[[], Any]:
    names, feeds = [output.name for output in session.get_outputs()], _feeds(session, one)
    return lambda: session.run(names, feeds)


def _feeds(session: onnxruntime.InferenceSession, part: NDArray[Any]) -> dict[str, NDArray[Any]]:
    (given,) = session.get_inputs()
    return {given.name: part.astype(np.uint8 if given.type == "tensor(uint8)" else np.float32)}


def _microseconds(call: Callable[[], Any]) -> float:
    call()
    count, start = 0, time.thread_time()
    while (taken := time.thread_time() - start) < ROUND_S:
        call()
        count += 1
    return 1e6 * taken / max(1, count)
