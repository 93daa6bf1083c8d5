"""Boxes and scores of a detector's own outputs, with numpy: what the operators of the file are held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras.boxes.layout import BoxLayout, Columns
from edgeconv.runtime.activation import sigmoid, softmax

Array = NDArray[np.float32]


def decoded(layout: BoxLayout, outputs: Mapping[str, NDArray[Any]], size: tuple[int, int]) -> dict[str, Array]:
    """Return what the file gives before the suppression.

    Args:
        layout: where the outputs hold what.
        outputs: the model's own, by name.
        size: (height, width) of the pictures.

    Returns:
        boxes: float32, (batch, boxes, 4): x and y of the left upper and the right lower corner, in pixels.
        scores: float32, (batch, boxes, classes), 0 to 1.
    """

    def take(columns: Columns) -> Array:
        array = np.asarray(outputs[columns.output], np.float32)
        rows = array[..., None] if array.ndim == 2 else array if layout.axis == 2 else array.swapaxes(1, 2)
        return rows[..., columns.begin : columns.end]

    height, width = size
    boxes = take(layout.boxes) @ layout.matrix
    if layout.is_relative:
        boxes = boxes * np.array([width, height, width, height], np.float32)
    scores = _activated(take(layout.scores), layout.pending)
    if layout.background is not None:
        scores = scores[..., 1:] if layout.background == "first" else scores[..., :-1]
    if layout.objectness is not None:
        scores = scores * _activated(take(layout.objectness), layout.pending and "sigmoid")
    if layout.classes is not None:
        # Rows that only fill an output up have scores or classes below 0.
        numbers = take(layout.classes).astype(np.int64)
        scores = np.where(numbers == np.arange(layout.count), scores.clip(0.0), np.float32(0.0))
    return {"boxes": boxes, "scores": scores}


def _activated(scores: Array, pending: str | None) -> Array:
    return {"sigmoid": sigmoid, "softmax": softmax}[pending](scores) if pending else scores
