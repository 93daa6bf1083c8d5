"""Gates of tasks whose outputs decide something: classes, tags, a yes or no, a pixel's class, a vector's direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.boxes import judge_boxes
from edgeconv.parity.comparison import Answers
from edgeconv.parity.dense_metrics import MOST_DB, psnr, squares
from edgeconv.parity.ledger import Gate
from edgeconv.parity.meaning import Meaning
from edgeconv.variants import variant_of

MAX_PIXELS = 0.01
"""Percent of the pixels of masks that may flip: of a million, some have two classes that are as likely to the last bits
of float32, and sums in another order decide between them."""

SPREAD_IN_DEVIATIONS = 7.0
"""Standard deviations that the spread of some thousand values is, of a normal distribution."""

NEIGHBOURS = 3
"""Nearest vectors of each that must stay its nearest."""

MOST_COMPARED = 2000
"""Vectors whose neighbours are looked for: their cosines are a square of as many."""

Pair = tuple[NDArray[Any], NDArray[Any]]
"""What a stage answers, and the reference."""


def judge_task(
    meaning: Meaning, stage: str, answers: Sequence[Answers], reference: Sequence[Answers]
) -> tuple[Gate, ...]:
    """Return the gates that a stage of a task has beside the error over the spread; none of tasks that decide nothing.

    Of a model with several outputs, each has the gates of what it means by itself.

    Args:
        meaning: of the one output, or of each.
        stage: the variant.
        answers: its own, batch by batch.
        reference: those of the reference.
    """
    if meaning.boxes is not None:
        return judge_boxes(meaning.boxes, stage, answers, reference)
    if meaning.outputs:
        return tuple(
            replace(gate, name=f"{gate.name} of {name}")
            for name, own in meaning.outputs.items()
            for gate in judge_task(own, stage, _alone(name, answers), _alone(name, reference))
        )
    pairs = [
        (given[name], expected)
        for given, wanted in zip(answers, reference, strict=True)
        for name, expected in wanted.items()
    ]
    tolerance = variant.tolerance if (variant := variant_of(stage)) is not None else 0.0
    match meaning.task:
        case "mask":
            flipped, pixels = np.sum([_flipped_pixels(meaning, *pair) for pair in pairs], axis=0)
            share = 100.0 * float(flipped / pixels)
            return (_gate(stage, "pixels that flip in percent", MAX_PIXELS, share, "near ties"),)
        case "classes" | "tags" | "yes-no":
            flips = np.concatenate([meaning.flips(*pair) for pair in pairs])
            reason = f"{_by_label(meaning, flips)}the same arithmetic must give the same answers"
            return (_gate(stage, "flips", 0.0, float(flips.sum()), reason),)
        case "picture":
            return (_psnr_gate(stage, pairs, tolerance),)
        case "embedding":
            return _embedding_gates(stage, pairs, tolerance)
    return ()


def _alone(name: str, answers: Sequence[Answers]) -> list[Answers]:
    return [{name: part[name]} for part in answers]


def _flipped_pixels(meaning: Meaning, given: NDArray[Any], wanted: NDArray[Any]) -> tuple[int, int]:
    """Return how many pixels of masks flip, and how many there are."""
    flips = [meaning.flips(one[None], other[None]) for one, other in zip(given, wanted, strict=True)]
    return sum(int(each.sum()) for each in flips), sum(each.size for each in flips)


def _by_label(meaning: Meaning, flips: NDArray[np.bool_]) -> str:
    """Say which tags flip, as the beginning of a sentence; nothing where none does, or there is one answer a row."""
    if meaning.task != "tags" or not flips.any():
        return ""
    counts = zip(meaning.labels, flips.sum(axis=0).tolist(), strict=False)
    return f"{', '.join(f'{label} {count}' for label, count in counts if count)}; "


def _psnr_gate(stage: str, pairs: Sequence[Pair], tolerance: float) -> Gate:
    """Return the gate of pictures: no more noise than an error of the tolerance in each pixel makes."""
    peak = max(float(wanted.max()) for _, wanted in pairs) - min(float(wanted.min()) for _, wanted in pairs)
    meaning = Meaning("picture", value_range=(0.0, peak))
    sums = np.concatenate([squares(given, wanted, meaning) for given, wanted in pairs])
    received = psnr(sums, sums, meaning)
    limit = -20.0 * math.log10(tolerance) if tolerance else MOST_DB
    reason = "an error of the tolerance in each pixel makes no more noise"
    return Gate(stage, "PSNR beside Keras in dB", limit, received, received >= limit, reason, at_least=True)


def _embedding_gates(stage: str, pairs: Sequence[Pair], tolerance: float) -> tuple[Gate, ...]:
    farthest = max(float(cosine_distance(given, wanted).max(initial=0.0)) for given, wanted in pairs)
    # An angle whose tangent is the error over the standard deviation.
    angle = SPREAD_IN_DEVIATIONS * tolerance
    reason = "an error of the tolerance in each value turns a vector by no more"
    cosine = _gate(stage, "cosine distance", 0.5 * angle**2, farthest, reason)
    given, wanted = (np.concatenate(parts)[:MOST_COMPARED] for parts in zip(*pairs, strict=True))
    if len(wanted) <= NEIGHBOURS:
        return (cosine,)
    # Four vectors are turned where two distances are compared.
    lost = 100.0 * lost_neighbours(given, wanted, slack=4.0 * angle)
    kept = _gate(
        stage, "neighbours lost in percent", 0.0, lost, "another neighbour must be as near, to within the error"
    )
    return cosine, kept


def lost_neighbours(given: NDArray[Any], wanted: NDArray[Any], *, slack: float) -> float:
    """Return the share of the nearest neighbours that are others among given vectors, and are not as near."""
    return float(are_lost(given, wanted, slack=slack).mean())


def are_lost(given: NDArray[Any], wanted: NDArray[Any], *, slack: float) -> NDArray[np.bool_]:
    """Tell which of the nearest neighbours are others among given vectors, and are not as near, (n, `NEIGHBOURS`).

    Args:
        given: (n, size).
        wanted: the same, of the reference.
        slack: how much farther, as a cosine, a neighbour may be that counts as near.
    """
    similar = _cosines(wanted)
    nearest = np.sort(similar, axis=1)[:, -NEIGHBOURS:].min(axis=1)
    chosen = np.argsort(-_cosines(given), axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.asarray(np.take_along_axis(similar, chosen, axis=1) < nearest[:, None] - slack)


def _cosines(vectors: NDArray[Any]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0.0, lengths, 1.0)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    return np.asarray(cosines)


def cosine_distance(given: NDArray[Any], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 - cosine of vectors along the last axis."""
    one, other = given.astype(np.float64), wanted.astype(np.float64)
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return np.asarray(1.0 - (one * other).sum(axis=-1) / np.where(lengths > 0.0, lengths, 1.0))


def _gate(stage: str, name: str, limit: float, received: float, reason: str) -> Gate:
    return Gate(stage, name, limit, received, received <= limit, reason)
