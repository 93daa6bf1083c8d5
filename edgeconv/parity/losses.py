"""What int8 loses beside the reference: one figure or two for each task, all in percent, and what is allowed.

Without labels the reference's answers are the truth. Whatever a figure is made of is added up sample by sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.parity.accuracy import ONE_PERCENT, limit_of
from edgeconv.parity.boxes import unmatched
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.decisions import NEIGHBOURS, SPREAD_IN_DEVIATIONS, are_lost, cosine_distance
from edgeconv.parity.dense_metrics import squares, summed
from edgeconv.parity.intervals import Lost, jackknife
from edgeconv.parity.ledger import Gate
from edgeconv.parity.meaning import Meaning
from edgeconv.tasks import ANY, CLASSES

MANY = 1000
"""Values of which the spread is what it is: of fewer, seven standard deviations stand for it."""

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Loss:
    """One figure of what is lost.

    Attributes:
        name: of its gate.
        sums: float64, (samples, k): what the figure is made of, for each sample.
        of: makes percent, (...), of what is added up over samples, (..., k).
        note: what else there is to see, as a part of a sentence.
        in_db: whether its gate tells a ratio of noise in decibels instead: -20 log10 of it, at least.
        task: whose limit it has.
        decides: whether it holds what outputs decide, and not their error.
    """

    name: str
    sums: Sums
    of: Callable[[Sums], Sums] = field(repr=False)
    note: str = ""
    in_db: bool = False
    task: str = ANY
    decides: bool = True

    @property
    def percent(self) -> float:
        """What is lost, in percent."""
        return float(self.of(self.sums.sum(axis=0)))

    @property
    def lost(self) -> Lost:
        """What is lost, in percent, with its interval."""
        return jackknife(lambda chosen: float(self.of(self.sums[chosen].sum(axis=0))), len(self.sums))

    def gate(self, stage: str, max_drop: float | None, reason: str) -> Gate:
        """Return the gate of a stage that may lose so many percent; None takes what `limit_of` has for the task."""
        limit = limit_of(self.task, max_drop)
        gate = Gate.of_loss(stage, self.name, limit, self.lost, reason)
        gate = replace(gate, reason=f"{self.note}{', ' * bool(self.note)}{gate.reason}")
        if not self.in_db:
            return gate
        low, high = _decibels(gate.high or 0.0), _decibels(gate.low or 0.0)
        return replace(
            gate, limit=_decibels(limit), received=_decibels(self.percent), at_least=True, low=low, high=high
        )


def losses_of(
    meaning: Meaning, compared: ComparisonSet, answers: Sequence[Answers], reference: Sequence[Answers]
) -> tuple[Loss, ...]:
    """Return what answers lose beside the reference's, where they are compared by their values.

    Args:
        meaning: of the one output.
        compared: the inputs, with the spreads of the outputs.
        answers: batch by batch.
        reference: the same of the reference.
    """
    pairs = [
        {name: (np.asarray(given[name]), np.asarray(expected)) for name, expected in wanted.items()}
        for given, wanted in zip(answers, reference, strict=True)
    ]
    if meaning.boxes is not None:
        return (_boxes(meaning, [part[DETECTIONS] for part in pairs]),)
    names, spreads = list(pairs[0]), compared.spreads or {}
    return tuple(
        replace(loss, name=f"{loss.name} of {name}" if len(names) > 1 else loss.name)
        for name in names
        for loss in _of_output(meaning.of_output(name), [part[name] for part in pairs], spreads.get(name, 0.0))
    )


Pair = tuple[NDArray[Any], NDArray[Any]]


def _of_output(meaning: Meaning, pairs: Sequence[Pair], spread: float) -> tuple[Loss, ...]:
    match meaning.task:
        case "classes" | "yes-no":
            flips = np.concatenate([meaning.flips(*pair).reshape(len(pair[0]), -1).any(axis=1) for pair in pairs])
            return (replace(_share("flips in percent", flips, np.ones(len(flips))), task=CLASSES),)
        case "tags":
            return (_tags(meaning, pairs),)
        case "mask":
            return _masks(meaning, pairs)
        case "picture":
            return (_picture(pairs),)
        case "embedding":
            return _embeddings(pairs)
    return (_values(pairs, spread),)


def worst_of(losses: Sequence[tuple[str, Lost]], task: str, max_drop: float | None = None) -> Lost:
    """Return the largest of several losses, each scaled to the limit of the model's own task.

    Args:
        losses: the task of each, and what is lost.
        task: of the model.
        max_drop: what its user allows, of all tasks; None takes what `limit_of` has for each.
    """
    limit = limit_of(task, max_drop)
    scaled = [lost.scaled(limit / limit_of(own, max_drop)) if limit else lost for own, lost in losses]
    # What surely loses too much comes before what may.
    return max(scaled, key=lambda lost: (not lost.holds(limit), lost.percent))


def _share(name: str, part: NDArray[Any], whole: NDArray[Any], note: str = "") -> Loss:
    sums = np.stack([part.astype(np.float64), whole.astype(np.float64)], axis=1)
    return Loss(name, sums, _percent, note)


def _percent(sums: Sums) -> Sums:
    return np.asarray(100.0 * sums[..., 0] / np.maximum(sums[..., 1], 1.0))


def _tags(meaning: Meaning, pairs: Sequence[Pair]) -> Loss:
    said, true = (np.concatenate([meaning.decided(pair[side]) for pair in pairs]) for side in (0, 1))
    flips = said != true
    counts = zip(meaning.labels, flips.sum(axis=0).tolist(), strict=False)
    by_label = ", ".join(f"{label} {count}" for label, count in counts if count)
    sums = np.stack([(said & true).sum(axis=1), flips.sum(axis=1)], axis=1).astype(np.float64)
    return Loss("F1 of the tags, lost in percent", sums, _lost_f1, f"flips: {by_label or 'none'}")


def _lost_f1(sums: Sums) -> Sums:
    """Return ``100 (1 - 2 TP / (2 TP + FP + FN))``."""
    return np.asarray(100.0 * sums[..., 1] / np.maximum(2.0 * sums[..., 0] + sums[..., 1], 1.0))


def _masks(meaning: Meaning, pairs: Sequence[Pair]) -> tuple[Loss, ...]:
    """Return the pixels that flip, and the mean IoU with the reference's masks: rare classes count as others do."""
    count = max(2, pairs[0][1].shape[-1])
    flips, pixels, overlaps = [], [], []
    for one, other in (both for pair in pairs for both in zip(*pair, strict=True)):
        said, true = (meaning.decided(side[None]).reshape(-1).astype(np.int64) for side in (one, other))
        flips.append((said != true).sum())
        pixels.append(said.size)
        both = np.bincount(true[said == true], minlength=count)
        either = np.bincount(said, minlength=count) + np.bincount(true, minlength=count) - both
        overlaps.append(np.concatenate([both, either]))
    share = _share("pixels that flip in percent", np.array(flips), np.array(pixels))
    return share, Loss("mean IoU, lost in percent", np.array(overlaps, np.float64), _lost_iou)


def _lost_iou(sums: Sums) -> Sums:
    both, either = np.split(sums, 2, axis=-1)
    seen = either > 0.0
    shares = np.where(seen, both / np.where(seen, either, 1.0), 0.0).sum(axis=-1) / np.maximum(seen.sum(axis=-1), 1)
    return np.asarray(100.0 * (1.0 - shares))


def _picture(pairs: Sequence[Pair]) -> Loss:
    peak = max(float(wanted.max()) for _, wanted in pairs) - min(float(wanted.min()) for _, wanted in pairs)
    return Loss("PSNR beside Keras in dB", _squares(pairs), partial(_rms, unit=peak), in_db=True)


def _embeddings(pairs: Sequence[Pair]) -> tuple[Loss, ...]:
    given, wanted = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    distances = cosine_distance(given, wanted).reshape(len(given), -1).mean(axis=1)
    turned = _share(
        "cosine distance in percent", distances, np.ones(len(given)), f"at most {100.0 * distances.max():.2g}"
    )
    if len(wanted) <= NEIGHBOURS or wanted.ndim != 2:
        return (turned,)
    # Each of four vectors turns by the angle whose cosine is that far from 1, in one direction of as many as they have.
    slack = 4.0 * math.sqrt(2.0 * ONE_PERCENT / 100.0) / math.sqrt(wanted.shape[1])
    lost = are_lost(given, wanted, slack=slack)
    return turned, _share("neighbours lost in percent", lost.sum(axis=1), np.full(len(lost), NEIGHBOURS))


def _boxes(meaning: Meaning, pairs: Sequence[Pair]) -> Loss:
    confidence = 0.0 if meaning.boxes is None else meaning.boxes.confidence
    counts = [
        unmatched(found, expected, above=confidence + BOX_SLACK)
        for given, wanted in pairs
        for found, expected in zip(given, wanted, strict=True)
    ]
    alone, both = np.array(counts, np.float64).T
    return _share("boxes without a match in percent", alone, both, f"{int(both.sum())} boxes of both")


BOX_SLACK = 0.05
"""How far above the threshold of scores a box has to be for it to be missed: five times what values may be off by."""


def _values(pairs: Sequence[Pair], spread: float) -> Loss:
    """Return the error of floats over their spread, of whole numbers the share that differs."""
    if pairs[0][1].dtype.kind != "f":
        sums = [summed(given != wanted) for given, wanted in pairs]
        return Loss("other values in percent", np.concatenate(sums), _percent)
    if sum(wanted.size for _, wanted in pairs) < MANY:  # The spread of few lies below that of more.
        wanted = np.concatenate([side.astype(np.float64).ravel() for _, side in pairs])
        spread = max(spread, SPREAD_IN_DEVIATIONS * float(wanted.std()))
    return Loss("RMS error over spread in percent", _squares(pairs), partial(_rms, unit=spread), decides=False)


def _squares(pairs: Sequence[Pair]) -> Sums:
    return np.concatenate([squares(*pair) for pair in pairs])


def _rms(sums: Sums, unit: float) -> Sums:
    """Return the root of a mean square, in percent of a unit; an error where nothing may differ is all there can be."""
    root = np.sqrt(sums[..., 0] / np.maximum(sums[..., 1], 1.0))
    # A difference that is no number is as large as one can be.
    root = np.nan_to_num(root, nan=math.inf)
    return np.asarray(np.minimum(100.0 * root / unit if unit else np.where(root > 0.0, math.inf, 0.0), _ALL))


_ALL = 1e9
"""JSON has no infinity."""


def _decibels(percent: float) -> float:
    return -20.0 * math.log10(max(percent, _LEAST) / 100.0)


_LEAST = 1e-8
"""Percent of 200 dB: pictures that are equal."""
