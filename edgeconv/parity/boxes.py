"""The gate of detectors: each box that the reference finds must be found, and none that it does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers
from edgeconv.parity.ledger import Gate
from edgeconv.runtime.suppression import overlaps
from edgeconv.variants import variant_of

MATCHED = 0.5
"""Overlap from which on two boxes of a class are the same one: the least that COCO and PASCAL VOC count. Of two boxes
with almost equal scores another one may survive the suppression, and they overlap by at least as much."""

MAX_UNMATCHED = 1.0
"""Percent of the boxes that may have no partner: of a hundred, one may owe its survival to an overlap or a rank that
the last bits decide. A wrong column, corner or class leaves most without."""


def judge_boxes(
    contract: Boxes, stage: str, answers: Sequence[Answers], reference: Sequence[Answers]
) -> tuple[Gate, ...]:
    """Return the gate that a detector has beside the error over the spread of its outputs.

    A box that has no partner does not count where its score lies at the threshold, to within the tolerance of the
    stage: there the other one may lie below.

    Args:
        contract: of the model.
        stage: the variant.
        answers: its own, batch by batch, with `DETECTIONS`.
        reference: those of the reference.
    """
    tolerance = variant.tolerance if (variant := variant_of(stage)) is not None else 0.0
    pairs = [
        unmatched(found, expected, above=contract.confidence + tolerance)
        for given, wanted in zip(answers, reference, strict=True)
        for found, expected in zip(given[DETECTIONS], wanted[DETECTIONS], strict=True)
    ]
    alone, count = (sum(numbers) for numbers in zip(*pairs, strict=True))
    share = 100.0 * alone / max(1, count)
    reason = f"{count} boxes of both; ties of scores and overlaps"
    return (Gate(stage, "boxes without a match in percent", MAX_UNMATCHED, share, share <= MAX_UNMATCHED, reason),)


def unmatched(found: NDArray[np.float32], expected: NDArray[np.float32], *, above: float) -> tuple[int, int]:
    """Return how many boxes of a picture have no partner, and how many there are, of both.

    Args:
        found: float32, (n, 6), as `matches` takes them.
        expected: the same, of the reference.
        above: the score that one without a partner must have to count.
    """
    partners = matches(expected, found)
    lost = expected[(partners < 0) & (expected[:, 4] > 0.0)]
    added = np.delete(found, partners[partners >= 0], axis=0)
    alone = sum(int((boxes[:, 4] > above).sum()) for boxes in (lost, added))
    return alone, int((found[:, 4] > 0.0).sum() + (expected[:, 4] > 0.0).sum())


def matches(wanted: NDArray[np.float32], found: NDArray[np.float32], least: float = MATCHED) -> NDArray[np.intp]:
    """Return the place of the partner of each wanted box among those found, or -1; (n,).

    The boxes choose in their order, the best one first: of those of its class that nobody has, the one that it overlaps
    most.

    Args:
        wanted: float32, (n, 6): two corners, the score and the class; a score of 0 is of no box.
        found: the same.
        least: overlap that partners have at least.
    """
    partners = np.full(len(wanted), -1, np.intp)
    free = found[:, 4] > 0.0
    for place, box in enumerate(wanted):
        if box[4] <= 0.0:
            continue
        possible = np.flatnonzero(free & (found[:, 5] == box[5]))
        overlap = overlaps(box[:4], found[possible, :4])
        if overlap.size and overlap.max() >= least:
            partners[place] = possible[overlap.argmax()]
            free[partners[place]] = False
    return partners
