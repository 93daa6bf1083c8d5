"""The golden vectors of an artifact: a few of the inputs that it was compared on, with the reference's answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.stage import Run
from edgeconv.runtime.golden import ArraySamples, Samples

SAMPLES = 16
"""Golden vectors of an artifact, or one a class where there are more classes."""


def golden_vectors(compared: ComparisonSet, reference: Run) -> Samples:
    """Return golden vectors of a model with one input and one output.

    Of images, some of each class; of random inputs, so many of the same kind; of the user's, the first batch.

    Args:
        compared: what the model was compared on.
        reference: what answers to inputs by name.
    """
    batch, labels = _chosen(compared)
    ((name, images),) = batch.feeds.items()
    if batch.expected:
        (answers,) = batch.expected.values()
        return Samples(images, labels, answers)
    # No more at once than when it was compared: large pictures of a deep network take gigabytes.
    size = compared.batches[0].count
    parts = [reference({name: images[start : start + size]}) for start in range(0, len(images), size)]
    return Samples(images, labels, np.concatenate([next(iter(part.values())) for part in parts]))


def golden_arrays(compared: ComparisonSet, batch: int | None) -> ArraySamples:
    """Return golden vectors of a model of any inputs and outputs: some of the first batch that it was compared on.

    Args:
        compared: what the model was compared on.
        batch: size of its batch axis; None where that is dynamic.
    """
    first, count = compared.batches[0], batch or SAMPLES
    inputs, outputs = ({name: array[:count] for name, array in part.items()} for part in (first.feeds, first.expected))
    return ArraySamples(inputs, outputs)


def _chosen(compared: ComparisonSet) -> tuple[Batch, NDArray[np.int64]]:
    """Return inputs and their classes, -1 where these are not known."""
    first = compared.batches[0]
    if compared.spreads is not None:
        batch = first if compared.draw is None else Batch(compared.draw(SAMPLES))
        return batch, np.full(batch.count, -1, np.int64)
    labels = np.full(first.count, -1, np.int64) if compared.labels is None else compared.labels
    chosen = _of_each_class(labels)
    images = {name: np.ascontiguousarray(array[chosen]) for name, array in first.feeds.items()}
    return Batch(images), labels[chosen]


def _of_each_class(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return places, of each class in turn in the order of the split."""
    classes = np.unique(labels)
    rank = np.zeros(len(labels), np.int64)
    for label in classes:
        members = labels == label
        rank[members] = np.arange(members.sum())
    return np.sort(np.argsort(rank, kind="stable")[: max(SAMPLES, len(classes))])
