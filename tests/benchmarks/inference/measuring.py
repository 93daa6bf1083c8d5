"""Rounds: every contender is asked in turn for a few milliseconds of calls, again and again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.inference.children import Child, Truth
from tests.benchmarks.inference.contenders import LIMIT, Contender
from tests.benchmarks.inference.products import exact

SLICE_S, BATCHES_SLICE_S = 0.02, 0.1
"""How long a contender is timed in a round, one image a call or more, if it makes more than one call in that time: a
second thread takes some calls to wake up."""

MOST_CALLS = 300
MOST_ROUNDS = 60
LEAST_ROUNDS = 5
BATCHES = (1, 4, 16, 64, 256)
LONGEST_CALL_S = 1.5
"""Batches whose call would take longer are left out."""

THROUGHPUT_CORES = 2

Rounds = dict[str, list[float]]
"""Nanoseconds of the calls of each round, by contender: their medians, or their minima."""


def measure(title: str, folder: Path, contenders: Sequence[Contender], seconds: float) -> list[dict[str, Any]]:
    """Return a row a contender: its answers, its times, its memory and its size.

    Args:
        title: of the network, for the progress.
        folder: has ``truth.npz``.
        contenders: who runs, the matrix products among them.
        seconds: for the latency, and about as much again for the throughput; slow networks take longer.
    """
    with np.load(folder / "truth.npz") as arrays:
        truth = dict(arrays)
    rows: dict[str, dict[str, Any]] = {}
    _say(f"{title}: opening {len(contenders)} contenders")
    children = _opened(contenders, truth, 1, rows)
    for child in children:
        rows[child.contender.name] |= _facts(child, truth)
    _say(f"{title}: latency, one thread")
    medians, minima = _rounds(children, 1, seconds, rows, SLICE_S)
    for name, taken in medians.items():
        rows[name]["rounds_us"] = [round(value / 1e3, 2) for value in taken]
        rows[name]["best_us"] = round(min(minima[name]) / 1e3, 2)
    _close(children)
    threads = min(THROUGHPUT_CORES, len(os.sched_getaffinity(0)))
    children = _opened([item for item in contenders if item.side != LIMIT], truth, threads, rows)
    for batch in BATCHES:
        fast = [child for child in children if _predicted_s(rows[child.contender.name], batch) < LONGEST_CALL_S]
        _say(f"{title}: batches of {batch} on {threads} cores, {len(fast)} contenders")
        medians, _ = _rounds(fast, batch, seconds / len(BATCHES), rows, BATCHES_SLICE_S)
        for name, taken in medians.items():
            rows[name].setdefault("images_per_s", {})[str(batch)] = [round(batch * 1e9 / value, 1) for value in taken]
    _close(children)
    return list(rows.values())


def judge(answers: NDArray[np.float32], truth: Mapping[str, NDArray[Any]]) -> dict[str, float]:
    """Return how far answers are right.

    Args:
        answers: (images, classes).
        truth: Keras' `answers`, and `labels` where the images have some.

    Returns:
        `accuracy`, where there are labels; `agreement`, the share of images whose likeliest class is Keras';
        `correlation` with Keras' answers, each class less its mean, so that answers that ignore the image have none.
    """
    expected = truth["answers"]
    found = {"agreement": float((answers.argmax(1) == expected.argmax(1)).mean())}
    if "labels" in truth:
        found["accuracy"] = float((answers.argmax(1) == truth["labels"]).mean())
    own, real = (part - part.mean(axis=0) for part in (answers.astype(np.float64), expected.astype(np.float64)))
    size = np.linalg.norm(own) * np.linalg.norm(real)
    found["correlation"] = float((own * real).sum() / size) if size else 0.0
    return found


def _opened(
    contenders: Sequence[Contender], truth: Truth, threads: int, rows: dict[str, dict[str, Any]]
) -> list[Child]:
    children = []
    for contender in contenders:
        known = {key: getattr(contender, key) for key in ("name", "side", "precision", "runner")}
        row = rows.setdefault(contender.name, known)
        try:
            children.append(Child(contender, truth, threads))
        except RuntimeError as error:
            row["failed"] = str(error)
            _say(f"{contender.name}: {error}")
    return children


def _facts(child: Child, truth: Truth) -> dict[str, Any]:
    contender, ready = child.contender, child.ready
    if contender.side == LIMIT:
        return {"exact": exact(contender.name, contender.file)}
    file = contender.file
    size = {} if file.is_dir() else {"size_bytes": file.stat().st_size}
    costs = {"load_ms": round(ready.load_ms, 2), "memory_bytes": ready.memory_bytes}
    return {**judge(ready.answers, truth), **costs, **size}


def _rounds(
    children: list[Child], batch: int, seconds: float, rows: dict[str, dict[str, Any]], slice_s: float
) -> tuple[Rounds, Rounds]:
    """Return each contender's medians and minima; who fails drops out."""
    calls: dict[str, int] = {}
    medians: Rounds = {}
    minima: Rounds = {}
    for child in list(children):
        try:
            once = float(child.times(batch, 2).min())
        except RuntimeError as error:
            rows[child.contender.name].setdefault("failed_batches", {})[str(batch)] = str(error)
            child.close()
            children.remove(child)
            continue
        calls[child.contender.name] = int(np.clip(slice_s * 1e9 / once, 1, MOST_CALLS))
    end = time.monotonic() + seconds
    for number in range(MOST_ROUNDS):
        if number >= LEAST_ROUNDS and time.monotonic() > end:
            break
        # Each starts once: whoever runs before, leaves its traces in the caches.
        start = number % max(len(children), 1)
        for child in children[start:] + children[:start]:
            name = child.contender.name
            taken = child.times(batch, calls[name])
            medians.setdefault(name, []).append(float(np.median(taken)))
            minima.setdefault(name, []).append(float(taken.min()))
    return medians, minima


def _predicted_s(row: Mapping[str, Any], batch: int) -> float:
    """Return what a batch takes if an image takes what it took in the batch before, or alone."""
    before = row.get("images_per_s", {}).get(str(batch // 4))
    if batch == 1 and "rounds_us" in row:
        return float(np.median(row["rounds_us"])) / 1e6
    return batch / float(np.median(before)) if before else float("inf")


def _close(children: Sequence[Child]) -> None:
    for child in children:
        child.close()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
