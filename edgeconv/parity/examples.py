"""Examples that stages are compared on: inputs of any model, and what is known to be right of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest import Manifest
from edgeconv.parity.comparison import Answers, Batch, ComparisonSet, Feeds, fingerprint
from edgeconv.parity.stage import images_at_once
from edgeconv.parity.values import spread_of
from edgeconv.tasks import CLASSES, YES_NO

VALUES_KEPT = 2**26
"""Numbers of a detector's answers that are compared: all boxes of thousands of pictures would not fit into memory."""

NOTHING: Answers = MappingProxyType({})


def compared_on(
    manifest: Manifest, inputs: Feeds, right: Answers = NOTHING, *, dataset: str, split: str
) -> ComparisonSet:
    """Return examples as stages are compared on them; `answered` completes a set that is compared by values.

    Pictures with a class each are compared by their classes.

    Args:
        manifest: of the model, as far as its inputs and outputs go.
        inputs: by name, (n, ...).
        right: what is known to be right, by output, (n, ...), as `datasets.examples.Examples.right` has it.
        dataset: name of the data.
        split: of the data.
    """
    labels = right.get(manifest.output.name)
    if labels is not None and manifest.takes_picture and manifest.task in {CLASSES, YES_NO}:
        (images,) = inputs.values()
        return ComparisonSet.of_images(images, labels.reshape(-1).astype(np.int64), dataset=dataset, split=split)
    batches = _batches(inputs)
    if manifest.boxes is not None:
        batches = _compared_by_detections(batches, manifest)
    return ComparisonSet(dataset, split, fingerprint(batches), batches, spreads={}, right=right)


def in_batches_of(compared: ComparisonSet, answers: Answers) -> tuple[Answers, ...]:
    """Return answers to all inputs, (n, ...), in the batches of a set."""
    ends = np.cumsum([batch.count for batch in compared.batches])[:-1]
    parts = {name: np.split(array, ends) for name, array in answers.items()}
    return tuple(
        batch.of({name: arrays[place] for name, arrays in parts.items()})
        for place, batch in enumerate(compared.batches)
    )


def answered(compared: ComparisonSet, answers: tuple[Answers, ...]) -> ComparisonSet:
    """Return a set with the reference's answers, batch by batch, and how far apart these lie."""
    batches = tuple(replace(batch, expected=part) for batch, part in zip(compared.batches, answers, strict=True))
    spreads = {
        name: spread_of(part[name] for part in answers if name in part) for name in answers[0] if name != DETECTIONS
    }
    return replace(compared, batches=batches, spreads=spreads)


def _batches(inputs: Mapping[str, NDArray[Any]]) -> tuple[Batch, ...]:
    """Return inputs in batches of so many as a call may take."""
    count, size = len(next(iter(inputs.values()))), min(map(images_at_once, inputs.values()))
    return tuple(
        Batch({name: array[start : start + size] for name, array in inputs.items()}) for start in range(0, count, size)
    )


def _compared_by_detections(batches: tuple[Batch, ...], manifest: Manifest) -> tuple[Batch, ...]:
    """Return batches of which only the first are compared number by number, and all by what is detected."""
    sizes = [size if isinstance(size, int) else 1 for size in manifest.output.shape[1:2]]
    each = sizes[0] * (4 + len(manifest.labels))
    seen, made = 0, []
    for batch in batches:
        made.append(batch if seen * each < VALUES_KEPT else replace(batch, kept=(DETECTIONS,)))
        seen += batch.count
    return tuple(made)
