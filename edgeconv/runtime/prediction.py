"""What a model answers to a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Score:
    """One class of an answer: its label, its index among the outputs, and its probability, 0 to 1."""

    label: str
    index: int
    probability: float

    def as_dict(self) -> dict[str, Any]:
        """Return the score as a JSON object."""
        return {"label": self.label, "index": self.index, "probability": self.probability}


@dataclass(frozen=True)
class Prediction:
    """The answer to one picture.

    Attributes:
        label: name of the likeliest class.
        index: its index among the outputs.
        probability: its probability, 0 to 1.
        top: the likeliest classes, best first.
    """

    label: str
    index: int
    probability: float
    top: tuple[Score, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        best = Score(self.label, self.index, self.probability)
        return {**best.as_dict(), "top": [score.as_dict() for score in self.top]}
