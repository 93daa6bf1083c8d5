"""Parity: the same inputs through Keras, fp32 and the other stages, with the very session code that will serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InferenceError
from edgeconv.parity.accuracy import limit_of
from edgeconv.parity.classes import compare_classes, judge_classes
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.intervals import Lost
from edgeconv.parity.judging import judge
from edgeconv.parity.ledger import Gate, Ledger, Row
from edgeconv.parity.meaning import ARRAYS, Meaning
from edgeconv.parity.metric_losses import Figures, judge_metrics, metrics_lost
from edgeconv.parity.pictures import show
from edgeconv.parity.pictures_by_values import compare_on_pictures
from edgeconv.parity.stage import Stage, answers_of, scores_of
from edgeconv.parity.values import compare_values
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.activation import sigmoid, softmax
from edgeconv.tasks import CLASSES, THRESHOLD, YES_NO
from edgeconv.timing import median_latency_ms


def prove(
    stages: Sequence[Stage],
    compared: ComparisonSet,
    *,
    max_drop: float | None,
    kind: str,
    meaning: Meaning = ARRAYS,
    known: Mapping[str, tuple[Answers, ...]] = MappingProxyType({}),
    progress: Progress = SILENT,
) -> Ledger:
    """Run every stage over all inputs, and judge.

    A stage that prepares pictures itself is given pictures that show the images, and is held against what the reference
    answers to the same pictures prepared with numpy.

    Args:
        stages: the reference first.
        compared: the inputs.
        max_drop: what int8 may lose, in percentage points of accuracy or percent of what another task is judged by;
            None takes what `limit_of` has for the task.
        kind: of the outputs, "probabilities", "logits" or "tensor"; logits are compared as the probabilities they stand
            for, where classes are compared.
        meaning: of the one output, or of each: its decisions are compared too, where no classes are, and its metrics
            where it is known what is right; a yes or no is two classes.
        known: what stages have answered already, by their names; see `answers_of`.
        progress: sees a bar for each stage.

    Raises:
        InferenceError: a stage cannot answer, or answers something of another shape than the reference.
    """
    rows: list[Row] = []
    reference: tuple[Answers, ...] = ()
    by_name: dict[str, tuple[Answers, ...]] = {}
    named = {stage.name: stage for stage in stages}
    gates: list[Gate] = []
    known_right: Figures | None = None
    losses: dict[str, Mapping[str, Lost]] = {}

    def answered(stage: Stage, given: ComparisonSet) -> tuple[Answers, ...]:
        known_here = given is compared and stage.name in known
        answers = known[stage.name] if known_here else answers_of(stage, given, progress)
        if given.spreads is None and kind == "logits" and not stage.gives_probabilities:
            return ({"scores": softmax(scores_of(answers))},)
        if given.spreads is None and meaning.task == YES_NO:
            done = replace(meaning, pending=None) if stage.gives_probabilities else meaning
            return ({"scores": _of_both(scores_of(answers), done)},)
        return answers

    for stage in stages:
        if stage.preparation is not None and compared.spreads is not None and rows:
            row, own = compare_on_pictures(stage, stages[0], compared, meaning, max_drop, progress)
            rows.append(row)
            gates += own
            continue
        if stage.preparation is not None and compared.spreads is None:
            pictures, prepared = show(compared, stage.preparation)
            answers = answered(stage, pictures)
            expected = answered(named.get(stage.against, stages[0]), prepared) if rows else _finite(stage, answers)
            rows.append(_row(stage, answers, expected, pictures))
            continue
        answers = answered(stage, compared)
        reference = reference or _finite(stage, answers)
        by_name[stage.name] = answers
        rows.append(_row(stage, answers, by_name.get(stage.against, reference), compared))
        if compared.spreads is not None and len(rows) > 1:
            gates += judge(stage, rows[-1], answers, reference, compared, meaning, max_drop)
        figures = Figures.of(answers, compared, meaning)
        rows[-1] = replace(rows[-1], metrics=figures.whole)
        known_right = known_right or figures
        if len(rows) > 1:
            losses[stage.name] = metrics_lost(figures, known_right, compared, meaning, stage.name)
    if compared.spreads is None:
        gates += judge_classes(rows, max_drop=limit_of(CLASSES, max_drop))
    gates += judge_metrics(rows, losses, meaning, max_drop=max_drop)
    return Ledger(compared.dataset, compared.split, compared.sha256, tuple(rows), tuple(gates))


def _of_both(yes: NDArray[np.float32], meaning: Meaning) -> NDArray[np.float32]:
    """Return the probabilities of no and yes, float32, (n, 2), of what a model answers, (n, 1).

    Odds are those over the odds of the threshold, so that the likelier one is the answer.
    """
    probability, limit = sigmoid(yes) if meaning.pending else yes, meaning.threshold
    if limit != THRESHOLD:
        yes_share, no_share = probability * (1.0 - limit), (1.0 - probability) * limit
        probability = (yes_share / (yes_share + no_share)).astype(np.float32)
    return np.concatenate([1.0 - probability, probability], axis=1)


def _finite(reference: Stage, answers: tuple[Answers, ...]) -> tuple[Answers, ...]:
    """Return the answers of the reference, by which all others are judged.

    Raises:
        InferenceError: one is no number.
    """
    for part in answers:
        for name, array in part.items():
            if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
                received = "NaN or infinity" if array.dtype.kind in "biuf" else array.dtype
                raise InferenceError(
                    f"`{reference.name}`, which the others are judged by, must answer `{name}` with finite numbers. "
                    f"Received: {received}. Give it other inputs, or export the model again."
                )
    return answers


def _check_alike(stage: Stage, answers: tuple[Answers, ...], reference: tuple[Answers, ...]) -> None:
    """Raise InferenceError unless a stage's answers have the names and shapes of the reference's."""
    for given, wanted in zip(answers, reference, strict=True):
        for name, array in wanted.items():
            received = given[name].shape if name in given else "no such output"
            if received != array.shape:
                raise InferenceError(
                    f"`{stage.name}` must answer `{name}` of the shape {array.shape}, as the reference does. Received: "
                    f"{received}. It is another model, or damaged: export it again."
                )


def _row(stage: Stage, answers: tuple[Answers, ...], reference: tuple[Answers, ...], compared: ComparisonSet) -> Row:
    _check_alike(stage, answers, reference)
    one = {name: array[:1] for name, array in compared.batches[-1].feeds.items()}
    latency_ms = median_latency_ms(partial(stage.timing or stage.run, one)) if stage.timed else None
    if compared.spreads is not None:
        return compare_values(stage, answers, reference, compared, p50_latency_ms=latency_ms)
    scores, expected = scores_of(answers), scores_of(reference)
    if compared.labels is not None and compared.labels.max(initial=0) >= scores.shape[1]:
        raise InferenceError(
            f"`{stage.name}` must answer scores of each class. Received: {scores.shape[1]} scores, and an image of the "
            f"class {compared.labels.max()}. Export the model again."
        )
    return compare_classes(stage, scores, expected, compared.labels, p50_latency_ms=latency_ms)
