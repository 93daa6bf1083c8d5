"""How well answers fit what is known to be right: the metrics of each task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.accuracy import drop_in_points
from edgeconv.parity.auc import area_under_curve
from edgeconv.parity.average_precision import OVERLAPS, mean_average_precision
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.dense_metrics import cosines, mean_iou, pixels_by_class, psnr, rmse, similarities, squares
from edgeconv.parity.meaning import Meaning
from edgeconv.tasks import ANY, BOXES, CLASSES, YES_NO

Values = NDArray[Any]


class Metric(NamedTuple):
    """One figure of how well answers fit.

    Attributes:
        name: of the figure.
        of: computes it of answers, (n, ...), and what is right, (n, ...), by what the output means.
        lost: percent that a figure, the second, loses against another, the first; of errors that are smaller than a
            share of the spread of the answers, the third, nothing is lost.
        by_sample: makes of answers and of what is right the few numbers a sample, (n, ...), that `of` is then given in
            place of both, so that not all answers have to be in memory at once; None: it is given these.
    """

    name: str
    of: Callable[[Values, Values, Meaning], float]
    lost: Callable[[float, float, Rounding], float]
    by_sample: Callable[[Values, Values, Meaning], Values] | None = None


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


def macro_auc(answers: Values, right: Values, _: Meaning) -> float:
    """Return the mean of the area under the ROC curve of each tag, or of a yes or no, 0 to 1.

    Scores are compared as they are, whatever the threshold. Tags that all samples have, or none, are left out.
    """
    scores, true = answers.reshape(len(right), -1), right.reshape(len(right), -1).astype(bool)
    columns = zip(scores.T[-true.shape[1] :], true.T, strict=True)  # Of a no and a yes, the yes.
    areas = [area for column, wanted in columns if (area := area_under_curve(column, wanted)) is not None]
    return float(np.mean(areas)) if areas else 1.0


def reconstruction_errors(answers: Values, given: Values) -> Values:
    """Return the mean square error of each sample, (n,): the score of an anomaly."""
    return np.asarray(np.square(answers.astype(np.float64) - given).reshape(len(answers), -1).mean(axis=1))


def _mean(values: Values, *_: Any) -> float:
    return float(values.mean())


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
RMSE = Metric("RMSE", rmse, _growth, squares)
AUC = Metric("AUC", macro_auc, _points)
ANOMALY = Metric("anomaly AUC", macro_auc, _points)
"""Of what gives back its input, where it is known which samples are anomalies: the score is the mean square error."""


def mean_precision(answers: Values, right: Values, _: Meaning) -> float:
    """Return the mean average precision over the overlaps 0.5 to 0.95, COCO's first figure, 0 to 1."""
    return mean_average_precision(answers, right, OVERLAPS)


def mean_precision_at_half(answers: Values, right: Values, _: Meaning) -> float:
    """Return the mean average precision of boxes that overlap by half, 0 to 1."""
    return mean_average_precision(answers, right, OVERLAPS[:1])


METRICS: Mapping[str, tuple[Metric, ...]] = {
    CLASSES: (ACCURACY,),
    YES_NO: (ACCURACY, AUC),
    "tags": (
        Metric("micro F1", micro_f1, _points),
        Metric("macro F1", macro_f1, _points),
        Metric("macro AUC", macro_auc, _points),
    ),
    "values": (RMSE,),
    "mask": (Metric("mIoU", mean_iou, _points, pixels_by_class),),
    BOXES: (
        Metric("mAP@0.5:0.95", mean_precision, _points),
        Metric("mAP@0.5", mean_precision_at_half, _points),
    ),
    "picture": (Metric("PSNR", psnr, _growth_by_db, squares), Metric("SSIM", _mean, _points, similarities)),
    "embedding": (Metric("cosine", _mean, _points, cosines),),
    ANY: (RMSE,),
}
"""The metrics of each task; an error may grow, and a share lose points, by as many percent as `max_drop` allows."""

BESIDE_CLASSES: Mapping[str, tuple[Metric, ...]] = {YES_NO: (AUC,)}
"""Those of pictures that are compared by their classes, beside the accuracy, which the ledger has for itself."""

Figure = Callable[[NDArray[np.intp]], float]
"""The value of a metric on some of the samples, by their numbers."""

OF = " of "
"""Between the name of a metric and that of its output."""


def figures_of(answers: Sequence[Answers], compared: ComparisonSet, meaning: Meaning) -> dict[str, Figure]:
    """Return the metrics of a stage by their names; of a model with several outputs, each with that of its output.

    Args:
        answers: of the stage, batch by batch.
        compared: the inputs, with what is known to be right; where that is nothing, there are no metrics.
        meaning: of the one output, or of each.
    """
    right, table = dict(compared.right), METRICS
    if compared.spreads is None:
        table = BESIDE_CLASSES
        right = {} if compared.labels is None else {next(iter(answers[0])): compared.labels}
    own = meaning.metric
    if own is not None:
        outputs = {name: np.concatenate([part[name] for part in answers]) for name in right}
        return {own.name: lambda chosen: own.of(_some(outputs, chosen), _some(right, chosen))} if right else {}
    several = len(answers[0]) > 1 and meaning.boxes is None
    figures = {}
    for name, target in right.items():
        means, made = _in_range(meaning.of_output(name), target), [part[name] for part in answers]
        metrics = table.get(means.task, ())
        if means_anomalies(target, made[0]):
            inputs = (next(iter(batch.feeds.values())) for batch in compared.batches)
            made = [
                reconstruction_errors(part, _as_answered(given, means))
                for part, given in zip(made, inputs, strict=True)
            ]
            metrics = (ANOMALY,)
        for metric in metrics:
            figures[f"{metric.name}{OF}{name}" if several else metric.name] = _figure(metric, made, target, means)
    return figures


def means_anomalies(right: Values, answers: Values) -> bool:
    """Whether what is known is which samples are anomalies: a flag for each, of answers with many values."""
    return right.dtype == bool and right.ndim == 1 and answers[:1].size > 1


def metric_named(name: str) -> Metric:
    """Return the metric of a figure's name."""
    kind = name.partition(OF)[0]
    every = (ANOMALY, *(metric for metrics in METRICS.values() for metric in metrics))
    return next(metric for metric in every if metric.name == kind)


def _figure(metric: Metric, answers: Sequence[Values], right: Values, meaning: Meaning) -> Figure:
    if metric.by_sample is None:
        whole = np.concatenate(answers)
        return lambda chosen: metric.of(whole[chosen], right[chosen], meaning)
    ends = np.cumsum([len(part) for part in answers])[:-1]
    parts = [metric.by_sample(*pair, meaning) for pair in zip(answers, np.split(right, ends), strict=True)]
    made = _joined(parts)
    return lambda chosen: metric.of(made[chosen], made[:0], meaning)


def _joined(parts: Sequence[Values]) -> Values:
    """Return numbers of all samples; those of pictures by class have as many classes as the picture with most."""
    if parts[0].ndim == 3:
        most = max(part.shape[-1] for part in parts)
        parts = [np.pad(part, ((0, 0), (0, 0), (0, most - part.shape[-1]))) for part in parts]
    return np.concatenate(parts)


def _in_range(meaning: Meaning, right: Values) -> Meaning:
    """Return what a picture means with a range: where that is not known, it is that of the pictures which are right."""
    if meaning.task != "picture" or meaning.value_range is not None:
        return meaning
    return replace(meaning, value_range=(float(right.min()), float(right.max())))


def _some(arrays: Mapping[str, Values], chosen: NDArray[np.intp]) -> dict[str, Values]:
    return {name: array[chosen] for name, array in arrays.items()}


def _as_answered(given: Values, meaning: Meaning) -> Values:
    """Return inputs in the range of the output: pixels, 0-255, where that is another."""
    low, high = meaning.value_range or (0.0, 255.0)
    return low + given / 255.0 * (high - low) if given.dtype == np.uint8 else given
