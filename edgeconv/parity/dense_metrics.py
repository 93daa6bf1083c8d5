"""Metrics of outputs with many values a sample, of a few sums of each: pixels of masks and pictures, vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.meaning import Meaning
from edgeconv.parity.spilling import samples_at_once
from edgeconv.parity.structural_similarity import structural_similarity

Values = NDArray[Any]

VOID = -1
"""The class of a pixel that nobody labelled: no metric counts it."""

MOST_DB = 200.0
"""Of pictures that are equal, for JSON has no infinity."""

_LEAST = 1e-30


def rmse(sums: Values, *_: Any) -> float:
    """Return the root of the mean squared error, in the unit of the values, of `squares`."""
    return float(np.sqrt(_mean_square(sums)))


def squares(answers: Values, right: Values, *_: Any) -> Values:
    """Return the sum of the squared errors of each sample, and how many they are, float64, (n, 2)."""
    some = samples_at_once(answers, right)
    return np.concatenate([summed(np.square(given.astype(np.float64) - wanted)) for given, wanted in some])


def summed(values: NDArray[Any]) -> Values:
    """Return the sum of each sample's values, and how many they are, (n, 2); a number without axes is one sample."""
    rows = values.astype(np.float64).reshape(len(values) if values.ndim else 1, -1)
    return np.stack([rows.sum(axis=1), np.full(len(rows), rows.shape[1], np.float64)], axis=1)


def mean_iou(pixels: Values, *_: Any) -> float:
    """Return the mean over classes of ``TP / (TP + FP + FN)``, pixels of all pictures together (PASCAL VOC).

    Of `pixels_by_class`. Classes that are nowhere, neither right nor answered, are left out.
    """
    both, either = pixels.sum(axis=0)
    return float((both[either > 0] / either[either > 0]).mean()) if either.any() else 1.0


def pixels_by_class(answers: Values, right: Values, meaning: Meaning) -> Values:
    """Return, of each picture and class, the pixels that both have, and those that either has, int64, (n, 2, classes).

    Pixels that nobody labelled are left out.
    """
    count = 1 + max(1, answers.shape[-1] - 1, int(right.max(initial=0)))
    counted = np.empty((len(right), 2, count), np.int64)
    for place, true in enumerate(right):
        decided, known = meaning.decided(answers[place : place + 1]).reshape(true.shape), true != VOID
        found, wanted = decided[known].astype(np.int64), true[known].astype(np.int64)
        both = np.bincount(wanted[found == wanted], minlength=count)
        counted[place] = both, np.bincount(wanted, minlength=count) + np.bincount(found, minlength=count) - both
    return counted


def psnr(sums: Values, _: Values, meaning: Meaning) -> float:
    """Return ``10 log10(peak^2 / MSE)`` in dB over all pixels together, at most `MOST_DB`, of `squares`.

    The peak is the width of the output's range.
    """
    low, high = meaning.value_range or (0.0, 1.0)
    error = _mean_square(sums)
    return min(MOST_DB, float(10.0 * np.log10(max(high - low, _LEAST) ** 2 / max(error, _LEAST))))


def similarities(answers: Values, right: Values, meaning: Meaning) -> Values:
    """Return the SSIM of each picture with the one that is right, (n,); the peak is that of `psnr`."""
    low, high = meaning.value_range or (0.0, 1.0)
    return np.array(
        [structural_similarity(*pair, max(high - low, _LEAST)) for pair in zip(answers, right, strict=True)], np.float64
    )


def cosines(answers: Values, right: Values, _: Meaning) -> Values:
    """Return the cosine of each vector with the one that is right, (n,)."""
    one, other = (side.astype(np.float64).reshape(len(side), -1) for side in (answers, right))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return np.asarray((one * other).sum(axis=1) / np.maximum(lengths, _LEAST))


def _mean_square(sums: Values) -> float:
    total, count = sums.sum(axis=0)
    return float(total / count)
