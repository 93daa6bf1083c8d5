"""A stage that prepares pictures itself, held against the reference by the values of its outputs.

The reference is given what the file made of each picture, so that a difference is the model's; and what the file made
is held against what Python makes of the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers, Batch, ComparisonSet
from edgeconv.parity.judging import judge
from edgeconv.parity.ledger import Gate, Row
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.stage import Stage, answers_of
from edgeconv.parity.values import compare_values, spread_of
from edgeconv.pictures.preparation import prepare
from edgeconv.pictures.showing import MOST_PICTURES, pictures_of
from edgeconv.preparation import Preparation
from edgeconv.progress import Progress
from edgeconv.runtime.activation import sigmoid, softmax
from edgeconv.runtime.embedded import PREPARED, embedded_name
from edgeconv.runtime.suppression import detections_of
from edgeconv.timing import median_latency_ms

DRAWN = 16
"""Images that are drawn where the inputs are random."""

LEVELS_GATE = "grey levels of the preparation"
GREY_LEVELS = 1.0
"""By which a prepared pixel may differ from Python's: a sum that lies between two grey levels is rounded to either."""


def compare_on_pictures(
    stage: Stage,
    reference: Stage,
    compared: ComparisonSet,
    meaning: Meaning,
    max_drop: float | None,
    progress: Progress,
) -> tuple[Row, tuple[Gate, ...]]:
    """Return the row of a stage, and its gates.

    Args:
        stage: it prepares pictures, and has what it made of them among its answers.
        reference: it takes prepared images.
        compared: what the other stages are compared on; pictures that show its images are answered.
        meaning: of the one output.
        max_drop: what int8 may lose, in percent; None takes what `limit_of` has for the task.
        progress: sees a bar.
    """
    if stage.preparation is None:
        raise ValueError("a stage that takes prepared images")
    pictures = pictures_of(_images(compared, stage.preparation), stage.preparation)
    size = max(batch.count for batch in compared.batches)  # No more at once than the reference could answer before.
    shown = _batched(compared, "picture", np.split(pictures, range(size, len(pictures), size)))
    given = answers_of(stage, shown, progress)
    prepared = [part[PREPARED] for part in given]
    answers = tuple(_compared(part, meaning.boxes) for part in given)
    wanted = answers_of(reference, _batched(compared, next(iter(compared.batches[0].feeds)), prepared), progress)
    expected = tuple(_compared(_finished(part, stage), meaning.boxes) for part in wanted)
    names = [name for name in expected[0] if name != DETECTIONS]
    spreads = {name: spread_of(part[name] for part in expected) for name in names}
    latency_ms = median_latency_ms(partial((stage.timing or stage.run), {"picture": pictures[:1]}))
    shown = replace(shown, spreads=spreads, right={})
    row = compare_values(stage, answers, expected, shown, p50_latency_ms=latency_ms)
    off = max(_levels(*pair, stage.preparation) for pair in zip(pictures, np.concatenate(prepared), strict=True))
    reason = "what the file makes of a picture must be what Python makes of it, but for the rounding"
    levels = Gate(stage.name, LEVELS_GATE, GREY_LEVELS, off, off <= GREY_LEVELS, reason)
    done = replace(meaning, pending=None, outputs={embedded_name(name): own for name, own in meaning.outputs.items()})
    return row, (levels, *judge(stage, row, answers, expected, shown, done, max_drop))


def _images(compared: ComparisonSet, preparation: Preparation) -> NDArray[np.uint8]:
    """Return images of the size that pictures become: those of a set, or more of the same kind where it draws."""
    size = (preparation.height, preparation.width)

    def found() -> Iterator[NDArray[np.uint8]]:
        batches = [batch.feeds for batch in compared.batches] if compared.draw is None else [compared.draw(DRAWN)]
        for feeds in batches:
            for image in next(iter(feeds.values())):
                yield image if image.shape[:2] == size else prepare(image, preparation)

    return np.stack(list(islice(found(), MOST_PICTURES)))


def _batched(compared: ComparisonSet, name: str, arrays: Sequence[NDArray[Any]]) -> ComparisonSet:
    return replace(compared, batches=tuple(Batch({name: array}) for array in arrays))


def _finished(answers: Answers, stage: Stage) -> Answers:
    """Return answers of the reference with what a stage does to them, by the names that they have in its file."""
    (first, values), *others = answers.items()
    if stage.activation is not None:
        values = softmax(values) if stage.activation == "softmax" else sigmoid(values)
    return {embedded_name(name): array for name, array in ((first, values), *others)}


def _compared(answers: Answers, boxes: Boxes | None) -> Answers:
    """Return what is compared of answers: of suppressed boxes, whose order the last bits may decide, the scores."""
    if boxes is None:
        return {name: array for name, array in answers.items() if name != PREPARED}
    found = answers[DETECTIONS] if DETECTIONS in answers else detections_of(boxes, answers)
    if boxes.suppressed:
        return {"scores": found[..., 4], DETECTIONS: found}
    return {"boxes": answers["boxes"], "scores": answers["scores"], DETECTIONS: found}


def _levels(picture: NDArray[np.uint8], prepared: NDArray[np.uint8], preparation: Preparation) -> float:
    return float(np.abs(prepare(picture, preparation).astype(np.int64) - prepared).max())
