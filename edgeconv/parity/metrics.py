"""How well answers fit what is known to be right: the metrics of each task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.accuracy import drop_in_points
from edgeconv.parity.auc import area_under_curve
from edgeconv.parity.average_precision import OVERLAPS, mean_average_precision
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.structural_similarity import structural_similarity
from edgeconv.tasks import ANY, BOXES, CLASSES, YES_NO

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
        by_sample: makes of answers and of what is right the one number a sample, (n,), that `of` is then given in place
            of the answers; None: it is given the answers.
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


def similarities(answers: Values, right: Values, meaning: Meaning) -> Values:
    """Return the SSIM of each picture with the one that is right, (n,); the peak is that of `psnr`."""
    low, high = meaning.value_range or (float(right.min()), float(right.max()))
    return np.array(
        [structural_similarity(*pair, max(high - low, _LEAST)) for pair in zip(answers, right, strict=True)], np.float64
    )


def cosines(answers: Values, right: Values, _: Meaning) -> Values:
    """Return the cosine of each vector with the one that is right, (n,)."""
    one, other = (side.astype(np.float64).reshape(len(side), -1) for side in (answers, right))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, _LEAST))


def _mean(values: Values, *_: Any) -> float:
    return float(values.mean())


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
    "mask": (Metric("mIoU", mean_iou, _points),),
    BOXES: (
        Metric("mAP@0.5:0.95", mean_precision, _points),
        Metric("mAP@0.5", mean_precision_at_half, _points),
    ),
    "picture": (Metric("PSNR", psnr, _growth_by_db), Metric("SSIM", _mean, _points, similarities)),
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
    outputs = {name: np.concatenate([part[name] for part in answers]) for name in right}
    own = meaning.metric
    if own is not None:
        return {own.name: lambda chosen: own.of(_some(outputs, chosen), _some(right, chosen))} if right else {}
    several = len(answers[0]) > 1 and meaning.boxes is None
    figures = {}
    for name, target in right.items():
        means, made = meaning.of_output(name), outputs[name]
        metrics = table.get(means.task, ())
        if means_anomalies(target, made):
            given = [next(iter(batch.feeds.values())) for batch in compared.batches]
            made, metrics = reconstruction_errors(made, _as_answered(np.concatenate(given), means)), (ANOMALY,)
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


def _figure(metric: Metric, answers: Values, right: Values, meaning: Meaning) -> Figure:
    made = answers if metric.by_sample is None else metric.by_sample(answers, right, meaning)
    return lambda chosen: metric.of(made[chosen], right[chosen], meaning)


def _some(arrays: Mapping[str, Values], chosen: NDArray[np.intp]) -> dict[str, Values]:
    return {name: array[chosen] for name, array in arrays.items()}


def _as_answered(given: Values, meaning: Meaning) -> Values:
    """Return inputs in the range of the output: pixels, 0-255, where that is another."""
    low, high = meaning.value_range or (0.0, 255.0)
    return low + given / 255.0 * (high - low) if given.dtype == np.uint8 else given
