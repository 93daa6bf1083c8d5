"""The golden vectors of an artifact: a few of the inputs that it was compared on, with the reference's answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Batch, ComparisonSet
from edgeconv.parity.stage import Run
from edgeconv.runtime.golden import ArraySamples, Samples

SAMPLES = 16
"""Golden vectors of an artifact, or one a class where there are more classes."""

AT_ONCE = 7 * 224 * 224 * 3
"""Values that a reference is given at once, 7 pictures of 224x224 in colour; of larger pictures no more than when it
was compared: Keras holds what all layers answer, gigabytes of a deep network."""


def golden_vectors(compared: ComparisonSet, reference: Run, size: int | None = None) -> Samples:
    """Return golden vectors of a model with one input and one output.

    Of images, some of each class; of random inputs, so many of the same kind; of others, the first. What the reference
    has answered already, the first of the random ones, it is not asked again.

    Args:
        compared: what the model was compared on.
        reference: what answers to inputs by name.
        size: of the model's batch axis; None where that is dynamic.
    """
    batch, labels = _chosen(compared, size)
    ((name, images),) = batch.feeds.items()
    if batch.expected:
        (answers,) = batch.expected.values()
        return Samples(images, labels, answers)
    first = compared.batches[0]
    known = first.count if first.expected and np.array_equal(images[: first.count], first.feeds[name]) else 0
    parts = [next(iter(first.expected.values()))] if known else []
    # Operator by operator, a call takes as long for one input as for many.
    size = max(first.count, AT_ONCE // max(1, images[0].size))
    asked = (reference({name: images[start : start + size]}) for start in range(known, len(images), size))
    return Samples(images, labels, np.concatenate([*parts, *(next(iter(part.values())) for part in asked)]))


def golden_arrays(compared: ComparisonSet, batch: int | None) -> ArraySamples:
    """Return golden vectors of a model of any inputs and outputs: some of the first batch that it was compared on.

    Args:
        compared: what the model was compared on.
        batch: size of its batch axis; None where that is dynamic.
    """
    first = _first(compared.batches[0], batch or SAMPLES)
    return ArraySamples(first.feeds, first.expected)


def _first(batch: Batch, count: int) -> Batch:
    feeds, expected = ({name: array[:count] for name, array in part.items()} for part in (batch.feeds, batch.expected))
    return Batch(feeds, batch.what, expected)


def _chosen(compared: ComparisonSet, size: int | None) -> tuple[Batch, NDArray[np.int64]]:
    """Return inputs and their classes, -1 where these are not known."""
    first = compared.batches[0]
    if compared.spreads is not None:
        batch = Batch(compared.draw(SAMPLES)) if compared.draw is not None else _first(first, size or SAMPLES)
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
