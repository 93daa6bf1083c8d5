"""How well answers fit what is known to be right: the metrics of each task, and what of them a stage may lose."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.accuracy import drop_in_points, limit_of, within
from edgeconv.parity.average_precision import OVERLAPS, mean_average_precision
from edgeconv.parity.comparison import Answers
from edgeconv.parity.ledger import LOST, Gate, Row
from edgeconv.parity.meaning import Meaning
from edgeconv.tasks import ANY, BOXES, CLASSES, YES_NO
from edgeconv.variants import is_int8, variant_of

VOID = -1
"""The class of a pixel that nobody labelled: no metric counts it."""

Values = NDArray[Any]


class Metric(NamedTuple):
    """One figure of how well answers fit.

    Attributes:
        name: of the figure.
        of: computes it of answers, (n, ...), and what is right, (n, ...), by what the output means.
        lost: percent that a figure, the second, loses against another, the first; of errors that are smaller than a
            share of the spread of the answers, the third, nothing is lost.
    """

    name: str
    of: Callable[[Values, Values, Meaning], float]
    lost: Callable[[float, float, Rounding], float]


class Rounding(NamedTuple):
    """What the rounding of a stage may cost each answer: no figure tells more of errors that are as small.

    Attributes:
        share: of the spread of the answers.
        spread: of the answers.
    """

    share: float = 0.0
    spread: float = 0.0


def accuracy(answers: Values, right: Values, meaning: Meaning) -> float:
    """Return the share of right answers, 0 to 1; a yes or no has one answer a row."""
    decided = meaning.decided(answers)
    return float((decided.reshape(len(right), -1) == right.reshape(len(right), -1)).mean())


def micro_f1(answers: Values, right: Values, meaning: Meaning) -> float:
    """Return ``2 TP / (2 TP + FP + FN)`` over all tags together, 0 to 1 (C. J. van Rijsbergen, 1979)."""
    hits, wrong = _hits_and_misses(meaning.decided(answers), right.astype(bool))
    return float(2.0 * hits.sum() / max(1, 2 * hits.sum() + wrong.sum()))


def macro_f1(answers: Values, right: Values, meaning: Meaning) -> float:
    """Return the mean of the F1 of each tag; tags that are nowhere, neither right nor answered, are left out."""
    hits, wrong = _hits_and_misses(meaning.decided(answers), right.astype(bool))
    seen = hits + wrong > 0
    return float((2.0 * hits[seen] / (2 * hits[seen] + wrong[seen])).mean()) if seen.any() else 1.0


def rmse(answers: Values, right: Values, _: Meaning) -> float:
    """Return the root of the mean squared error, in the unit of the values."""
    return float(np.sqrt(np.square(answers.astype(np.float64) - right).mean()))


def mean_iou(answers: Values, right: Values, meaning: Meaning) -> float:
    """Return the mean over classes of ``TP / (TP + FP + FN)``, pixels of all pictures together (PASCAL VOC).

    Pixels that nobody labelled are left out, and so are classes that are nowhere, neither right nor answered.
    """
    decided = meaning.decided(answers).reshape(right.shape).astype(np.int64)
    known = right != VOID
    found, true = decided[known], right[known].astype(np.int64)
    count = int(max(found.max(initial=0), true.max(initial=0))) + 1
    both = np.bincount(true[found == true], minlength=count)
    either = np.bincount(true, minlength=count) + np.bincount(found, minlength=count) - both
    return float((both[either > 0] / either[either > 0]).mean()) if either.any() else 1.0


def psnr(answers: Values, right: Values, meaning: Meaning) -> float:
    """Return ``10 log10(peak^2 / MSE)`` in dB over all pixels together, at most `MOST_DB`.

    The peak is the width of the output's range; where that is not known, that of the pictures which are right.
    """
    low, high = meaning.value_range or (float(right.min()), float(right.max()))
    error = float(np.square(answers.astype(np.float64) - right).mean())
    return min(MOST_DB, float(10.0 * np.log10(max(high - low, _LEAST) ** 2 / max(error, _LEAST))))


MOST_DB = 200.0
"""Of pictures that are equal, for JSON has no infinity."""

_LEAST = 1e-30


def _hits_and_misses(decided: Values, right: Values) -> tuple[Values, Values]:
    return (decided & right).sum(axis=0), (decided != right).sum(axis=0)


def _points(reference: float, value: float, _: Rounding) -> float:
    return drop_in_points(reference, value)


def _growth(reference: float, value: float, rounding: Rounding) -> float:
    least = max(reference, rounding.share * rounding.spread)
    return 0.0 if value <= least else 100.0 * (value / least - 1.0) if least else _ALL


def _growth_by_db(reference: float, value: float, rounding: Rounding) -> float:
    most = min(reference, -20.0 * math.log10(rounding.share)) if rounding.share else reference
    return float(100.0 * (10.0 ** ((most - value) / 20.0) - 1.0))


_ALL = 1e9
"""Percent by which an error grows from nothing."""

ACCURACY = Metric("accuracy", accuracy, _points)
RMSE = Metric("RMSE", rmse, _growth)


def mean_precision(answers: Values, right: Values, _: Meaning) -> float:
    """Return the mean average precision over the overlaps 0.5 to 0.95, COCO's first figure, 0 to 1."""
    return mean_average_precision(answers, right, OVERLAPS)


def mean_precision_at_half(answers: Values, right: Values, _: Meaning) -> float:
    """Return the mean average precision of boxes that overlap by half, 0 to 1."""
    return mean_average_precision(answers, right, OVERLAPS[:1])


METRICS: Mapping[str, tuple[Metric, ...]] = {
    CLASSES: (ACCURACY,),
    YES_NO: (ACCURACY,),
    "tags": (Metric("micro F1", micro_f1, _points), Metric("macro F1", macro_f1, _points)),
    "values": (RMSE,),
    "mask": (Metric("mIoU", mean_iou, _points),),
    BOXES: (
        Metric("mAP@0.5:0.95", mean_precision, _points),
        Metric("mAP@0.5", mean_precision_at_half, _points),
    ),
    "picture": (Metric("PSNR", psnr, _growth_by_db),),
    ANY: (RMSE,),
}
"""The metrics of each task; an error may grow, and a share lose points, by as many percent as `max_drop` allows."""


def measure(answers: Sequence[Answers], right: Answers, meaning: Meaning) -> dict[str, float]:
    """Return the metrics of a stage by their names; of a model with several outputs, each with that of its output.

    Args:
        answers: of the stage, batch by batch.
        right: what is known to be right, by output, (n, ...).
        meaning: of the one output, or of each.
    """
    if meaning.metric is not None:
        outputs = {name: np.concatenate([part[name] for part in answers]) for name in right}
        return {meaning.metric.name: meaning.metric.of(outputs, right)}
    several = len(answers[0]) > 1 and meaning.boxes is None
    return {
        f"{metric.name}{_OF}{name}" if several else metric.name: metric.of(
            np.concatenate([part[name] for part in answers]), target, meaning.of_output(name)
        )
        for name, target in right.items()
        for metric in METRICS.get(meaning.of_output(name).task, ())
    }


_OF = " of "
"""Between the name of a metric and that of its output."""


def judge_metrics(
    rows: Sequence[Row], meaning: Meaning, *, max_drop: float | None, spreads: Mapping[str, float]
) -> tuple[Gate, ...]:
    """Return a gate for each metric of each row behind the first, which is the reference.

    Args:
        rows: the ledger's rows.
        meaning: of the one output, or of each.
        spreads: of the model's outputs.
        max_drop: what a stage may lose, in percentage points of a share or percent of an error; None takes what
            `limit_of` has for int8 of the task, and `RIGHT_ANSWERS` of others.
    """
    gates = []
    for row in rows[1:]:
        tolerance = variant.tolerance if (variant := variant_of(row.stage)) is not None else 0.0
        for name, lost in losses_by_name(row.metrics, rows[0].metrics, meaning, tolerance, spreads).items():
            limit = limit_of(task_of(name, meaning) if is_int8(row.stage) else CLASSES, max_drop)
            gates.append(Gate(row.stage, f"{name}{LOST}", limit, lost, within(lost, limit), "what --max-drop allows"))
    return tuple(gates)


def task_of(name: str, meaning: Meaning) -> str:
    """Return the task of the output that a figure is of."""
    return meaning.of_output(name.partition(_OF)[2]).task


def losses_by_name(
    figures: Mapping[str, float],
    reference: Mapping[str, float],
    meaning: Meaning,
    tolerance: float,
    spreads: Mapping[str, float],
) -> dict[str, float]:
    """Return what is lost of each figure, in percentage points of a share or percent of an error.

    Args:
        figures: of a stage, as `measure` has them.
        reference: those of the reference.
        meaning: of the one output, or of each.
        tolerance: share of the spread of an output that the arithmetic of the stage may cost each answer.
        spreads: of the model's outputs.
    """
    found = {}
    for name, value in figures.items():
        if meaning.metric is not None:
            found[name] = meaning.metric.lost(reference[name], value)
            continue
        kind, _, output = name.partition(_OF)
        metric = next(each for metrics in METRICS.values() for each in metrics if each.name == kind)
        spread = spreads.get(output, next(iter(spreads.values())))
        found[name] = metric.lost(reference[name], value, Rounding(tolerance, spread))
    return found
