"""Parity: the same images through Keras, fp32 and int8, with the very session code that will serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.ledger import Ledger, Row, compare, judge
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import EmbeddedModel
from edgeconv.runtime.pipeline import softmax
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import Session
from edgeconv.variants import takes_pictures

BATCH = 500
VALUES_AT_ONCE = 2**22
Run = Callable[[NDArray[Any]], NDArray[np.float32]]

LATENCY_RUNS = 50
LEAST_LATENCY_RUNS = 3
LATENCY_SECONDS = 1.0


@dataclass(frozen=True)
class Stage:
    """Something that answers images.

    Attributes:
        name: ``"keras"``, ``"fp32"``, ``"int8"`` or ``"e2e"``, the target of a bundle, or ``"int8 on pi4"``.
        provider: what runs it.
        run: images to probabilities, float32, (n, classes).
        size_bytes: of its file.
        gives_probabilities: whether it does so even where the model itself gives logits.
        timed: whether the time of a call says something; not where each call starts a process.
        at_once: whether it takes all images in one call, since each call starts a slow process.
    """

    name: str
    provider: str
    run: Run
    size_bytes: int
    gives_probabilities: bool = False
    timed: bool = True
    at_once: bool = False


@dataclass(frozen=True)
class Evidence:
    """The images that the stages are held against.

    Attributes:
        dataset: name of the data.
        split: ``"test"`` or ``"random"``.
        sha256: fingerprint of the data.
        images: (n, ...), what the stages eat.
        labels: int64, (n,), or None where they are not known.
    """

    dataset: str
    split: str
    sha256: str
    images: NDArray[Any]
    labels: NDArray[np.int64] | None


def stage_of(
    name: str, model: bytes, *, provider: str = CPU, batch: int | None = None, reduced_range: bool = False
) -> Stage:
    """Return an `.onnx` file as a stage, on one thread of one provider.

    Args:
        name: of the stage.
        model: the file.
        provider: what runs it.
        batch: the only batch size that the file takes, or None.
        reduced_range: its int8 weights take 7 bits.
    """
    if takes_pictures(name):
        embedded = EmbeddedModel(model, reduced_range=reduced_range)
        return Stage(name, CPU, embedded.run, len(model), gives_probabilities=True)
    session = Session(model, provider=provider, reduced_range=reduced_range)
    run = session.run if batch is None else in_batches(session.run, batch)
    return Stage(name, session.provider, run, len(model))


def in_batches(run: Run, size: int) -> Run:
    """Return a function that gives `run` batches of one size only, the last one filled up with its first image."""

    def answer(images: NDArray[Any]) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            filled = np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])
            parts.append(run(filled)[: len(part)])
        return np.concatenate(parts)

    return answer


def prove(
    stages: Sequence[Stage],
    evidence: Evidence,
    *,
    max_drop: float,
    kind: str,
    known: Mapping[str, NDArray[np.float32]] = MappingProxyType({}),
    progress: Progress = SILENT,
) -> Ledger:
    """Run every stage over all images, and judge.

    Args:
        stages: the reference first.
        evidence: the images.
        max_drop: accuracy that int8 may lose, in percentage points.
        kind: of the outputs, "probabilities" or "logits"; logits are compared as the probabilities they stand for.
        known: what stages have answered already, by their names; see `answers_of`.
        progress: sees a bar for each stage.
    """
    rows: list[Row] = []
    reference: NDArray[np.float32] | None = None
    for stage in stages:
        answers = known[stage.name] if stage.name in known else answers_of(stage, evidence.images, progress)
        answers = softmax(answers) if kind == "logits" and not stage.gives_probabilities else answers
        reference = answers if reference is None else reference
        rows.append(
            compare(
                stage.name,
                stage.provider,
                answers,
                reference,
                evidence.labels,
                size_bytes=stage.size_bytes,
                p50_latency_ms=median_latency_ms(partial(stage.run, evidence.images[:1])) if stage.timed else None,
            )
        )
    gates = judge(tuple(rows), max_drop=max_drop)
    return Ledger(evidence.dataset, evidence.split, evidence.sha256, tuple(rows), gates)


def images_at_once(images: NDArray[Any]) -> int:
    """Return how many images a call may take: the activations of a large model are a hundred times as many values."""
    return max(1, min(BATCH, VALUES_AT_ONCE // max(1, int(np.prod(images.shape[1:])))))


def answers_of(stage: Stage, images: NDArray[Any], progress: Progress = SILENT) -> NDArray[np.float32]:
    """Return what a stage answers to all images, float32, (n, classes); given to it some at a time."""
    parts = []
    size = len(images) if stage.at_once else images_at_once(images)
    with progress.bar(f"Answers of {stage.name}", len(images)) as advance:
        for start in range(0, len(images), size):
            parts.append(stage.run(images[start : start + size]))
            advance(len(parts[-1]), "")
    return np.concatenate(parts)


def median_latency_ms(run: Callable[[], object]) -> float:
    """Return the median time of some calls: as many as fit into a second, and at least three."""
    times: list[float] = []
    while len(times) < LEAST_LATENCY_RUNS or (len(times) < LATENCY_RUNS and sum(times) < LATENCY_SECONDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000.0 * median(times)
