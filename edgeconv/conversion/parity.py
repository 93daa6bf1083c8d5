"""Parity: the same images through Keras, fp32 and int8, with the very session code that will serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.ledger import Ledger, Row, compare, judge
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import E2E, EmbeddedModel
from edgeconv.runtime.predictor import softmax
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import Session

BATCH = 500
LATENCY_RUNS = 50


@dataclass(frozen=True)
class Stage:
    """Something that answers images.

    Attributes:
        name: ``"keras"``, ``"fp32"``, ``"int8"`` or ``"e2e"``, or the target of a bundle.
        provider: what runs it.
        run: images to probabilities, float32, (n, classes).
        size_bytes: of its file.
        gives_probabilities: whether it does so even where the model itself gives logits.
        timed: whether the time of a call says something; not where each call starts a process.
    """

    name: str
    provider: str
    run: Callable[[NDArray[Any]], NDArray[np.float32]]
    size_bytes: int
    gives_probabilities: bool = False
    timed: bool = True


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


def stage_of(name: str, model: bytes, *, provider: str = CPU) -> Stage:
    """Return an `.onnx` file as a stage, on one thread of one provider."""
    if name == E2E:
        return Stage(name, CPU, EmbeddedModel(model).run, len(model), gives_probabilities=True)
    session = Session(model, provider=provider)
    return Stage(name, session.provider, session.run, len(model))


def prove(
    stages: Sequence[Stage], evidence: Evidence, *, max_drop: float, kind: str, progress: Progress = SILENT
) -> Ledger:
    """Run every stage over all images, and judge.

    Args:
        stages: the reference first.
        evidence: the images.
        max_drop: accuracy that int8 may lose, in percentage points.
        kind: of the outputs, "probabilities" or "logits"; logits are compared as the probabilities they stand for.
        progress: sees a bar for each stage.
    """
    rows: list[Row] = []
    reference: NDArray[np.float32] | None = None
    for stage in stages:
        answers = _run(stage, evidence.images, progress)
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
                p50_latency_ms=_latency_ms(stage, evidence.images[:1]) if stage.timed else None,
            )
        )
    gates = judge(tuple(rows), max_drop=max_drop)
    return Ledger(evidence.dataset, evidence.split, evidence.sha256, tuple(rows), gates)


def _run(stage: Stage, images: NDArray[Any], progress: Progress) -> NDArray[np.float32]:
    parts = []
    with progress.bar(f"Answers of {stage.name}", len(images)) as advance:
        for start in range(0, len(images), BATCH):
            parts.append(stage.run(images[start : start + BATCH]))
            advance(len(parts[-1]), "")
    return np.concatenate(parts)


def _latency_ms(stage: Stage, image: NDArray[Any]) -> float:
    times = []
    for _ in range(LATENCY_RUNS):
        start = time.perf_counter()
        stage.run(image)
        times.append(time.perf_counter() - start)
    return 1000.0 * median(times)
