"""What a model of another task than one class of many answers to a picture; `prediction` has the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.runtime.detections import Detections
from edgeconv.runtime.prediction import Prediction, Score


@dataclass(frozen=True)
class Tags:
    """Which of several things are in a picture.

    Attributes:
        tags: those whose probability reaches the threshold, likeliest first.
        scores: all of them, in the order of the outputs; each probability stands alone.
        threshold: the probability from which on a tag is answered.
    """

    tags: tuple[Score, ...]
    scores: tuple[Score, ...]
    threshold: float

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return {
            "tags": [score.label for score in self.tags],
            "scores": [score.as_dict() for score in self.scores],
            "threshold": self.threshold,
        }


@dataclass(frozen=True)
class YesNo:
    """A yes or a no.

    Attributes:
        label: of the two, the one that is answered.
        answer: whether that is the yes.
        probability: of the yes, 0 to 1.
        threshold: the probability from which on yes is answered.
    """

    label: str
    answer: bool
    probability: float
    threshold: float

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        shown = {"label": self.label, "answer": self.answer, "probability": self.probability}
        return {**shown, "threshold": self.threshold}


@dataclass(frozen=True)
class Values:
    """Numbers, by their names, in the order of the outputs."""

    values: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return {"values": dict(self.values)}


@dataclass(frozen=True, eq=False)
class Embedding:
    """A vector, float32, (size,)."""

    vector: NDArray[np.float32]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return {"vector": [float(value) for value in self.vector]}


@dataclass(frozen=True, eq=False)
class Mask:
    """The class of each pixel of what the model was fed.

    Attributes:
        classes: uint8, (height, width), index of the class; uint16 of more than 256 classes.
        labels: names of the classes.
    """

    classes: NDArray[np.unsignedinteger[Any]]
    labels: tuple[str, ...]

    @property
    def shares(self) -> dict[str, float]:
        """The share of the pixels that each class has, 0 to 1."""
        counts = np.bincount(self.classes.ravel(), minlength=len(self.labels))
        return {label: float(count) / self.classes.size for label, count in zip(self.labels, counts, strict=True)}

    def as_dict(self) -> dict[str, Any]:
        """Return what the mask covers as a JSON object; the mask itself is a picture."""
        height, width = self.classes.shape
        return {"height": height, "width": width, "shares": self.shares}


@dataclass(frozen=True, eq=False)
class MadePicture:
    """A picture that a model made: float32, (height, width, 1 or 3), as the model gives it."""

    pixels: NDArray[np.float32]

    def as_dict(self) -> dict[str, Any]:
        """Return its size as a JSON object; the picture itself is a file."""
        height, width, channels = self.pixels.shape
        return {"height": height, "width": width, "channels": channels}


Result = Prediction | Tags | YesNo | Values | Embedding | Mask | MadePicture | Detections
"""The answer to one picture; which of them, the model's task decides."""
