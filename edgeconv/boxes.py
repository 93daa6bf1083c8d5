"""How the outputs of a detector hold its boxes, as its user states it, and the formats that boxes have."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from edgeconv.config import between, one_of
from edgeconv.errors import ConfigError

FORMATS = {
    "xyxy": ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)),
    "yxyx": ((0, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0)),
    "xywh": ((1, 0, 1, 0), (0, 1, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)),
    "cxcywh": ((1, 0, 1, 0), (0, 1, 0, 1), (-0.5, 0, 0.5, 0), (0, -0.5, 0, 0.5)),
    "center_xywh": ((1, 0, 1, 0), (0, 1, 0, 1), (-0.5, 0, 0.5, 0), (0, -0.5, 0, 0.5)),
    "center_yxhw": ((0, 1, 0, 1), (1, 0, 1, 0), (0, -0.5, 0, 0.5), (-0.5, 0, 0.5, 0)),
}
"""Formats of boxes by the names that exporters and `keras.utils.bounding_boxes` have for them.

A row for each of the four numbers: how often it counts in x and y of the left upper and of the right lower corner.
"""

RELATIVE = "rel_"
"""Begins the name of a format whose numbers are shares of the picture's width and height, 0 to 1, not pixels."""

COLUMNS = ("box-scores", "box-objectness-scores", "box-score-class")
"""What one output that holds all has for each box: four numbers of the box, then a score for each class (YOLOv8), the
same behind a score of there being anything at all (YOLOv5), or one score and the number of its class."""

DETECTIONS = "detections"
"""The answer that stages of a detector have beside its outputs, and the name of what is known to be right: float32,
(pictures, n, 6), x and y of two corners in pixels of the model's picture, the score and the class; best first, with the
score 0 and the class -1 of no box. Of what is right, the score is 1, and `CROWD` of a box around many things."""

CROWD = 2.0

ACTIVATIONS = ("sigmoid", "softmax", "none")
BACKGROUNDS = ("first", "last", "none")


@dataclass(frozen=True)
class BoxStatement:
    """What a user says of the outputs of a detector; None where nothing is said.

    Attributes:
        format: of the boxes: a key of `FORMATS`, with "rel_" before it where they are shares of the picture.
        boxes: name or place of the output that holds the boxes, or all.
        scores: name or place of the output that holds the scores: one each class, or one a box.
        classes: name or place of the output that holds the number of each box's class, where there is one score a box.
        objectness: name or place of the output by which all scores of a box are multiplied.
        columns: of one output that holds all, one of `COLUMNS`.
        axis: 2 where each box is a row, (batch, boxes, columns); 1 where it is a column, (batch, columns, boxes).
        activation: of the scores, one of `ACTIVATIONS`; the file does it where the model does not.
        background: which of the scores behind a softmax is that of nothing at all, one of `BACKGROUNDS`.
        confidence: the score that a detection must exceed, 0 to 1.
        iou: overlap from above which the lower of two boxes of a class is suppressed, as intersection over union, 0 to
            1; with 1 none is.
        max: most detections of a picture.

    Raises:
        ConfigError: a value is none that it can have.

    Example:
        >>> BoxStatement.parse("format=rel_yxyx,scores=cls,iou=0.6").scores
        'cls'
    """

    format: str | None = None
    boxes: str | None = None
    scores: str | None = None
    classes: str | None = None
    objectness: str | None = None
    columns: str | None = None
    axis: int | None = None
    activation: str | None = None
    background: str | None = None
    confidence: float = 0.05
    iou: float = 0.5
    max: int = 100

    def __post_init__(self) -> None:
        formats = [relative + name for relative in ("", RELATIVE) for name in FORMATS]
        choices = {"format": formats, "columns": COLUMNS, "activation": ACTIVATIONS, "background": BACKGROUNDS}
        for key, names in choices.items():
            if (value := getattr(self, key)) is not None:
                one_of(f"boxes {key}", value, names)
        if self.axis is not None:
            between("boxes axis", self.axis, 1, 2)
        between("boxes max", self.max, 1, 10_000)
        for key in ("confidence", "iou"):
            if not 0.0 <= getattr(self, key) <= 1.0:
                raise ConfigError(f"`boxes {key}` must be 0 to 1. Received: {getattr(self, key)}. Try 0.5.")

    @classmethod
    def parse(cls, text: str) -> BoxStatement:
        """Read ``KEY=VALUE,...`` with the keys that are the attributes.

        Raises:
            ConfigError: a key is unknown or there twice, or its value is none that it can have.
        """
        kinds = {"axis": int, "max": int, "confidence": float, "iou": float}
        keys = [field.name for field in fields(cls)]
        stated: dict[str, Any] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            key, _, value = (word.strip() for word in part.partition("="))
            if key not in keys or not value or key in stated:
                raise ConfigError(
                    f"`boxes` must be KEY=VALUE,..., each of the keys {', '.join(keys)} once at most. Received: "
                    f"{part!r}. Try `format=xyxy`."
                )
            try:
                stated[key] = kinds.get(key, str)(value)
            except ValueError as error:
                raise ConfigError(f"`boxes {key}` must be a number. Received: {value!r}. Change it.") from error
        return cls(**stated)

    def as_text(self) -> str:
        """Return what `parse` reads: what was said, without what has its default.

        Example:
            >>> BoxStatement(format="xyxy", max=10).as_text()
            'format=xyxy,max=10'
        """
        said = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return ",".join(f"{key}={value}" for key, value in said if value != getattr(BoxStatement, key))
