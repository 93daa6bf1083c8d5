"""Whether what is stated of a detector can be: scores that are probabilities, boxes that have an area."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.conversion.keras.boxes.layout import SCORES, BoxLayout
from edgeconv.errors import ConfigError
from edgeconv.parity.comparison import ComparisonSet

ROUNDING = 1e-4
"""By which a probability may lie outside of 0 to 1."""


def check_scores(path: Path, layout: BoxLayout, compared: ComparisonSet) -> None:
    """Check that scores are probabilities.

    Raises:
        ConfigError: they are not.
    """
    scores = _all(compared, SCORES)
    low, high = float(scores.min(initial=0.0)), float(scores.max(initial=0.0))
    if low < -ROUNDING or high > 1.0 + ROUNDING:
        raise ConfigError(
            f"The scores of `{path}` must be probabilities, 0 to 1. Received: {low:.4g} to {high:.4g} in "
            f"`{layout.scores.output}`. State what makes them probabilities: `--boxes activation=sigmoid`, or softmax."
        )


def doubt_of_boxes(layout: BoxLayout, compared: ComparisonSet) -> str | None:
    """Say what of the boxes that Keras finds speaks against their format, or nothing; what is stated still counts."""
    rows = _all(compared, DETECTIONS).reshape(-1, 6)
    boxes = rows[rows[:, 4] > 0.0, :4]
    if not len(boxes):
        return "No boxes were found on these inputs: name pictures with some by `--input-data`."
    stated, side = layout.statement.format, max(next(iter(compared.batches[0].feeds.values())).shape[1:3])
    empty, reach = float((boxes[:, 2:] <= boxes[:, :2]).any(axis=1).mean()), float(np.abs(boxes).max())
    if empty > 0.5:
        return f"{empty:.0%} of the boxes that were found have no area: look whether their format is {stated}."
    if layout.is_relative and reach > 10.0 * side:
        return f"Boxes reach {reach:.4g} of {side} pixels: look whether they are shares of the picture, {stated}."
    if not layout.is_relative and reach <= 2.0 < side:
        return f"No box reaches beyond {reach:.3g} pixels: look whether they are shares of the picture, rel_{stated}."
    return None


def _all(compared: ComparisonSet, name: str) -> NDArray[np.float64]:
    return np.concatenate([batch.expected[name].astype(np.float64).ravel() for batch in compared.batches])
