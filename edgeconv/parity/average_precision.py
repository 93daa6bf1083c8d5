"""Mean average precision of detections, as COCO computes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import CROWD
from edgeconv.runtime.suppression import overlaps

RECALLS = np.linspace(0.0, 1.0, 101)
"""Shares of the true boxes that are found, at which precision is averaged."""

OVERLAPS = np.linspace(0.5, 0.95, 10)
"""From which on a box counts as found: the mean over them is COCO's first figure."""

MOST = 100
"""Detections of a class in a picture that count."""

Rows = NDArray[np.float32]


def mean_average_precision(found: Rows, true: Rows, least: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the mean over classes, and over overlaps, of the average precision, 0 to 1.

    The precision of each class, made to fall only, is averaged over 101 recalls; classes without true boxes are left
    out (T.-Y. Lin et al., Microsoft COCO, ECCV 2014; `COCOeval` of github.com/cocodataset/cocoapi).

    Args:
        found: float32, (pictures, n, 6): two corners, the score, which is 0 of no box, and the class; best first.
        true: float32, (pictures, m, 6): the same; see `edgeconv.boxes.DETECTIONS`.
        least: overlaps from which on a box counts as found.
    """
    classes = np.unique(true[(true[..., 4] > 0.0) & (true[..., 4] != CROWD)][:, 5])
    means = [_average_precision(found, true, number, overlap) for number in classes for overlap in least]
    return float(np.mean(means)) if means else 0.0


def _average_precision(found: Rows, true: Rows, number: float, least: float) -> float:
    scores, hits, count = [], [], 0
    for boxes, targets in zip(found, true, strict=True):
        own = boxes[(boxes[:, 4] > 0.0) & (boxes[:, 5] == number)][:MOST]
        wanted = targets[(targets[:, 4] > 0.0) & (targets[:, 5] == number)]
        right, counts = _judged(own, wanted, least)
        scores.append(own[counts, 4])
        hits.append(right[counts])
        count += int((wanted[:, 4] != CROWD).sum())
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.concatenate(hits)[order].cumsum()
    recall, precision = right / count, right / np.arange(1, len(right) + 1)
    # From each recall on, the best precision that is still to come.
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    return float(np.where(places < len(falling), np.append(falling, 0.0)[places.clip(max=len(falling))], 0.0).mean())


def _judged(own: Rows, wanted: Rows, least: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which detections are right, and which count: each takes the free true box that it overlaps most.

    What lies in a crowd is neither right nor wrong.
    """
    right, counts = np.zeros(len(own), bool), np.ones(len(own), bool)
    crowd = wanted[:, 4] == CROWD
    free = ~crowd
    for place, box in enumerate(own):
        shares = overlaps(box[:4], wanted[:, :4])
        possible = np.flatnonzero(free & (shares >= least))
        if possible.size:
            # Of equal ones the last, as there.
            best = possible[shares[possible] == shares[possible].max()][-1]
            right[place], free[best] = True, False
        elif crowd.any():
            counts[place] = bool(_inside(box[:4], wanted[crowd, :4]).max() < least)
    return right, counts


def _inside(box: Rows, crowds: Rows) -> Rows:
    """Return the share of a box that lies in each crowd."""
    common = (np.minimum(box[2:], crowds[:, 2:]) - np.maximum(box[:2], crowds[:, :2])).clip(0.0).prod(axis=1)
    return np.asarray(common / max(float((box[2:] - box[:2]).prod()), 1e-9), np.float32)
