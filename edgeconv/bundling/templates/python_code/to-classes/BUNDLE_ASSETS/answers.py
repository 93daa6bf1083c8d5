"""What the model's outputs mean: one class of many."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .contract import LABELS, OUTPUTS, Arrays, BundleError, finite

# Options of the command line, which `answer_of` takes.
OPTIONS = {"top": 3}


@dataclass(frozen=True)
class Score:
    """A class and its probability, 0 to 1."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The likeliest class of a picture, and the runners-up: `top`, best first."""

    label: str
    index: int
    probability: float
    top: tuple[Score, ...]

    def as_row(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return asdict(self)


Answer = Prediction


def answer_of(outputs: Arrays, top: int = 3) -> Prediction:
    """Return the likeliest class, and as many of the likeliest as `top` says."""
    (probabilities,) = finite(outputs[OUTPUTS[0]])
    if probabilities.shape != (len(LABELS),):
        raise BundleError("the model is not the one that this file was made for")
    best = np.argsort(-probabilities, kind="stable")[: max(top, 1)].tolist()
    scores = [Score(LABELS[i], i, float(probabilities[i])) for i in best]
    return Prediction(**asdict(scores[0]), top=tuple(scores))
