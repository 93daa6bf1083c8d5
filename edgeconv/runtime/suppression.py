"""Detections of a picture: of overlapping boxes of a class the best one stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.manifest_blocks import Boxes

Array = NDArray[np.float32]


def detections_of(contract: Boxes, outputs: Mapping[str, NDArray[Any]]) -> Array:
    """Return the detections of pictures, whether the file suppresses boxes or not.

    Args:
        contract: of the model.
        outputs: its `boxes`, `scores` and, where it suppresses, `classes`.

    Returns:
        float32, (batch, most, 6): x and y of the left upper and the right lower corner in pixels of the model's
        picture, the score, and the number of the class; best first, filled up with scores of 0 and classes of -1.
    """
    if contract.suppressed:
        parts = (outputs["boxes"], outputs["scores"][..., None], outputs["classes"][..., None])
        return np.concatenate(parts, axis=2, dtype=np.float32)
    rows = np.zeros((len(outputs["boxes"]), contract.most, 6), np.float32)
    rows[..., 5] = -1.0
    for number, (boxes, scores) in enumerate(zip(outputs["boxes"], outputs["scores"], strict=True)):
        found = suppress(boxes, scores, contract)
        rows[number, : len(found)] = found
    return rows


def suppress(boxes: Array, scores: Array, contract: Boxes) -> Array:
    """Return the detections of one picture, (n, 6), as ONNX's NonMaxSuppression finds them; the best of all first.

    Args:
        boxes: float32, (boxes, 4), x and y of two corners.
        scores: float32, (boxes, classes), 0 to 1.
        contract: of the model.
    """
    # Of two equal scores the first class, and the first box of a class, comes first, as in ONNX Runtime.
    classes, places = np.nonzero(np.float32(contract.confidence) < scores.T)
    order = np.argsort(-scores[places, classes], kind="stable")
    classes, places = classes[order], places[order]
    waiting = np.ones(len(order), bool)
    kept: list[int] = []
    while len(kept) < contract.most and waiting.any():
        best = int(waiting.argmax())
        kept.append(best)
        waiting[best] = False
        rivals = np.flatnonzero(waiting & (classes == classes[best]))
        shares = overlaps(boxes[places[best]], boxes[places[rivals]])
        waiting[rivals[shares > np.float32(contract.iou)]] = False
    places, classes = places[kept], classes[kept]
    return np.concatenate([boxes[places], scores[places, classes][:, None], classes[:, None]], 1, dtype=np.float32)


def overlaps(box: Array, others: Array) -> Array:
    """Return the intersection of a box, (4,), with each of others, (n, 4), over their union, 0 to 1; (n,).

    Boxes may have their corners in any order; the overlap with a box of no area is 0.

    Example:
        >>> overlaps(np.float32([0, 0, 2, 2]), np.float32([[1, 0, 3, 2], [2, 2, 3, 3]])).round(3).tolist()
        [0.333, 0.0]
    """
    low, high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    lows, highs = np.minimum(others[:, :2], others[:, 2:]), np.maximum(others[:, :2], others[:, 2:])
    common = (np.minimum(high, highs) - np.maximum(low, lows)).clip(0.0).prod(axis=1)
    union = (high - low).prod() + (highs - lows).prod(axis=1) - common
    return np.asarray(common / np.where(union > 0.0, union, 1.0), np.float32)
