"""Confusion matrices for people: heat, the accuracy of each class, and the pairs that are taken for each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeconv.parity.ledger import Ledger, Row

MOST_CLASSES_IN_MATRIX = 30
"""Matrices of more classes don't fit a screen; their most frequent confusions are listed instead."""

MOST_PAIRS = 20
MOST_CLASSES_LISTED = 30


@dataclass(frozen=True)
class Cell:
    """A field of a matrix: images, and the warmth of its ground, 0 (none) to 5."""

    count: int
    heat: int
    right: bool


@dataclass(frozen=True)
class Pair:
    """A class that was taken for another, and how often."""

    label: str
    answer: str
    count: int
    share: float


@dataclass(frozen=True)
class ClassScore:
    """A class in all stages.

    Attributes:
        label: its name.
        count: images of it that Keras was asked about; a stage that takes picture files may have been given fewer.
        accuracies: share of right answers by stage, 0 to 1; None where the class has no images.
        bars: share of wrong answers, as part of the largest in the table, 0 to 1.
    """

    label: str
    count: int
    accuracies: tuple[float | None, ...]
    bars: tuple[float, ...]


def heat_map(row: Row) -> list[list[Cell]]:
    """Return a stage's confusion matrix; the warmth of a wrong answer is held against the most frequent one."""
    wrong = max((n for i, line in enumerate(row.confusion) for j, n in enumerate(line) if i != j), default=0)
    right = max((line[i] for i, line in enumerate(row.confusion)), default=0)
    return [
        [Cell(n, _heat(n, right if i == j else wrong), i == j) for j, n in enumerate(line)]
        for i, line in enumerate(row.confusion)
    ]


def frequent_pairs(row: Row, name_of: Callable[[int], str]) -> list[Pair]:
    """Return the most frequent confusions of a stage, the most frequent first."""
    found = [
        (-count, truth, answer, count / max(1, sum(line)))
        for truth, line in enumerate(row.confusion)
        for answer, count in enumerate(line)
        if truth != answer and count
    ]
    return [Pair(name_of(t), name_of(a), -count, share) for count, t, a, share in sorted(found)[:MOST_PAIRS]]


def class_scores(ledger: Ledger, name_of: Callable[[int], str]) -> list[ClassScore]:
    """Return the accuracy of each class in each stage; of many classes those that the last stage knows least."""
    rows = [row for row in ledger.rows if row.confusion]
    if not rows:
        return []
    scores = []
    for index in range(len(rows[-1].confusion)):
        counts = [sum(row.confusion[index]) for row in rows]
        accuracies = tuple(row.confusion[index][index] / n if n else None for row, n in zip(rows, counts, strict=True))
        scores.append((index, counts[0], accuracies))
    if len(scores) > MOST_CLASSES_LISTED:
        scores.sort(key=lambda score: (1.0 if score[2][-1] is None else score[2][-1], score[0]))
        scores = scores[:MOST_CLASSES_LISTED]
    worst = max((1 - accuracy for score in scores for accuracy in score[2] if accuracy is not None), default=0.0)
    return [
        ClassScore(name_of(index), count, accuracies, tuple(_part(accuracy, worst) for accuracy in accuracies))
        for index, count, accuracies in scores
    ]


def _heat(count: int, most: int) -> int:
    # The square root lets a single confusion be seen beside one of hundreds.
    return min(5, max(1, round(5 * (count / most) ** 0.5))) if count and most else 0


def _part(accuracy: float | None, worst: float) -> float:
    return (1 - accuracy) / worst if accuracy is not None and worst else 0.0
