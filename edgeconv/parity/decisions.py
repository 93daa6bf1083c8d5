"""Gates of tasks whose outputs decide something: classes, tags, a yes or no, a pixel's class, a vector's direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Answers
from edgeconv.parity.ledger import Gate
from edgeconv.tasks import CLASSES, THRESHOLD
from edgeconv.variants import VARIANTS

MAX_PIXELS = 0.01
"""Percent of the pixels of masks that may flip: of a million, some have two classes that are as likely to the last bits
of float32, and sums in another order decide between them."""

SPREAD_IN_DEVIATIONS = 7.0
"""Standard deviations that the spread of some thousand values is, of a normal distribution."""


def judge_task(
    task: str, stage: str, answers: Sequence[Answers], reference: Sequence[Answers], *, pending: str | None
) -> tuple[Gate, ...]:
    """Return the gates that a stage of a task has beside the error over the spread; none of tasks that decide nothing.

    Args:
        task: a key of `TASKS`, of a model with one output.
        stage: the variant.
        answers: its own, batch by batch.
        reference: those of the reference.
        pending: what is still to be done to the outputs; the threshold lies at 0 before a sigmoid.
    """
    pairs = [
        (given[name], expected)
        for given, wanted in zip(answers, reference, strict=True)
        for name, expected in wanted.items()
    ]
    if task in {CLASSES, "tags", "yes-no", "mask"}:
        limit = 0.0 if pending == "sigmoid" else THRESHOLD
        flips = np.concatenate([_differ(given, wanted, task, limit) for given, wanted in pairs])
        if task == "mask":
            return (_gate(stage, "pixels that flip in percent", MAX_PIXELS, 100.0 * float(flips.mean()), "near ties"),)
        return (_gate(stage, "flips", 0.0, float(flips.sum()), "the same arithmetic must give the same answers"),)
    if task == "embedding":
        farthest = max(float(_cosine_distance(given, wanted).max(initial=0.0)) for given, wanted in pairs)
        tolerance = VARIANTS[stage].tolerance or 0.0 if stage in VARIANTS else 0.0
        # The cosine of a small angle, whose tangent is the error over the standard deviation.
        limit = 0.5 * (SPREAD_IN_DEVIATIONS * tolerance) ** 2
        reason = "an error of the tolerance in each value turns a vector by no more"
        return (_gate(stage, "cosine distance", limit, farthest, reason),)
    return ()


def _differ(given: NDArray[Any], wanted: NDArray[Any], task: str, limit: float) -> NDArray[np.bool_]:
    if task == CLASSES or (task == "mask" and wanted.shape[-1] > 1):
        return np.asarray(given.argmax(axis=-1) != wanted.argmax(axis=-1)).ravel()
    return np.asarray((given >= limit) != (wanted >= limit)).ravel()


def _cosine_distance(given: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.float64]:
    one, other = given.astype(np.float64), wanted.astype(np.float64)
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.asarray(1.0 - (one * other).sum(axis=-1) / np.where(lengths > 0.0, lengths, 1.0))


def _gate(stage: str, name: str, limit: float, received: float, reason: str) -> Gate:
    return Gate(stage, name, limit, received, received <= limit, reason)
