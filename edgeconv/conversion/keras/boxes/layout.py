"""Where a detector's own outputs hold boxes, scores and classes, and in what form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import FORMATS, RELATIVE, BoxStatement
from edgeconv.conversion.keras.ports import Port
from edgeconv.manifest_blocks import Boxes

BOXES, SCORES, CLASSES = "boxes", "scores", "classes"
"""The outputs of the file."""


@dataclass(frozen=True)
class Columns:
    """Some columns of one of the model's own outputs; of an output with one number a box, the only one."""

    output: str
    begin: int = 0
    end: int | None = None


@dataclass(frozen=True)
class BoxLayout:
    """Where boxes and scores are.

    Attributes:
        statement: what the user says of them.
        boxes: four columns.
        scores: one column each class, or one of the likeliest class.
        classes: the number of that class; None where there is a score each class.
        objectness: a factor of all scores of a box, or None.
        axis: of the columns, 1 or 2; the other one is that of the boxes.
        pending: "sigmoid" or "softmax" where that is still to be done to the scores; None where nothing is.
        background: "first" or "last" where that score is of nothing at all, or None.
        count: number of classes.
        rows: number of boxes, None where it depends on the picture.
        found: what was found where, for people.
    """

    statement: BoxStatement
    boxes: Columns
    scores: Columns
    classes: Columns | None
    objectness: Columns | None
    axis: int
    pending: str | None
    background: str | None
    count: int
    rows: int | None
    found: str

    @property
    def is_relative(self) -> bool:
        """Whether boxes are shares of the picture's width and height."""
        return (self.statement.format or "").startswith(RELATIVE)

    @property
    def matrix(self) -> NDArray[np.float32]:
        """What makes corners of a box, (4, 4), multiplied from the right."""
        return np.array(FORMATS[(self.statement.format or "").removeprefix(RELATIVE)], np.float32)

    @property
    def own_outputs(self) -> set[str]:
        """Names of the model's outputs that are read."""
        parts = (self.boxes, self.scores, self.classes, self.objectness)
        return {part.output for part in parts if part is not None}

    def contract(self, *, suppressed: bool) -> Boxes:
        """Return how detections are read from a file that suppresses boxes, or does not."""
        said = self.statement
        return Boxes("xyxy", suppressed, said.confidence, said.iou, said.max, said.as_text())

    def ports(self, *, suppressed: bool, batch: int | None) -> tuple[Port, ...]:
        """Return the outputs of a file that suppresses boxes, or does not."""
        if not suppressed:
            shapes = {BOXES: (self.rows, 4), SCORES: (self.rows, self.count)}
            return tuple(Port(name, "float32", shape, batch, (BOXES,)) for name, shape in shapes.items())
        most = self.statement.max
        boxes, scores = Port(BOXES, "float32", (most, 4), batch), Port(SCORES, "float32", (most,), batch)
        return boxes, scores, Port(CLASSES, "int32", (most,), batch)
