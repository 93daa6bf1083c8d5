"""What a stage that is compared by its values must keep: of float32 nearly all, else what its task is judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.decisions import judge_task
from edgeconv.parity.intervals import Lost, accuracy_lost, flips_lost
from edgeconv.parity.ledger import Gate, Row
from edgeconv.parity.losses import losses_of, worst_of
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.metric_losses import Figures, metrics_lost, task_of
from edgeconv.parity.stage import Stage, scores_of
from edgeconv.parity.values import judge_values
from edgeconv.tasks import CLASSES, YES_NO
from edgeconv.variants import variant_of


def judge(
    stage: Stage,
    row: Row,
    answers: Sequence[Answers],
    reference: Sequence[Answers],
    compared: ComparisonSet,
    meaning: Meaning,
    max_drop: float | None,
) -> tuple[Gate, ...]:
    """Return the gates of a stage beside those of its metrics.

    Args:
        stage: in float32 it is held by the error over the spread, and no decision may be another; in float16 by that
            error, and like int8 by what its answers lose, unless it is known what is right.
        row: of the ledger.
        answers: its own, batch by batch.
        reference: those of the reference.
        compared: the inputs.
        meaning: of the one output.
        max_drop: what it may lose, in percent; None takes what `limit_of` has for the task.
    """
    errors, variant = judge_values(row, answers, reference), variant_of(stage.inside or stage.name)
    if variant is None or variant.precision not in {"float16", "int8", "weights"}:
        return (*errors, *judge_task(meaning, stage.name, answers, reference))
    close = errors if variant.precision == "float16" else ()
    if compared.right:
        return close
    losses = [loss for loss in losses_of(meaning, compared, answers, reference) if loss.decides or not close]
    return (*close, *(loss.gate(stage.name, max_drop, "what --max-drop allows") for loss in losses))


def lost(
    answers: tuple[Answers, ...],
    reference: tuple[Answers, ...],
    compared: ComparisonSet,
    meaning: Meaning,
    max_drop: float | None = None,
) -> Lost:
    """Return what answers in int8 lose, as their gates count it: percentage points of accuracy, or the largest percent.

    Args:
        answers: of the model in int8, batch by batch.
        reference: those of the reference.
        compared: the inputs, and what is right where that is known.
        meaning: of the one output, or of each.
        max_drop: what its user allows; None takes what `limit_of` has for each task.
    """
    if compared.spreads is None:
        told, expected = (_classes(scores_of(each), meaning) for each in (answers, reference))
        if compared.labels is None:
            return flips_lost(told != expected)
        losses = [(CLASSES, accuracy_lost(told == compared.labels, expected == compared.labels))]
        return worst_of([*losses, *_by_metrics(answers, reference, compared, meaning)], CLASSES, max_drop)
    if compared.right:
        losses = _by_metrics(answers, reference, compared, meaning)
    else:
        losses = [(loss.task, loss.lost) for loss in losses_of(meaning, compared, answers, reference)]
    return worst_of(losses, meaning.task, max_drop)


def _by_metrics(
    answers: Sequence[Answers], reference: Sequence[Answers], compared: ComparisonSet, meaning: Meaning
) -> list[tuple[str, Lost]]:
    figures, wanted = (Figures.of(each, compared, meaning) for each in (answers, reference))
    by_name = metrics_lost(figures, wanted, compared, meaning)
    return [(task_of(name, meaning), lost) for name, lost in by_name.items()]


def _classes(scores: NDArray[np.float32], meaning: Meaning) -> NDArray[np.int64]:
    """Return the class of each row; a yes or no is the second or the first of two."""
    if meaning.task == YES_NO:
        return meaning.decided(scores).reshape(len(scores)).astype(np.int64)
    return np.asarray(scores.argmax(axis=1))
