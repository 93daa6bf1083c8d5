"""What the model's outputs mean: which of several things are in a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .contract import LABELS, OUTPUTS, Arrays, finite

# Options of the command line, which `answer_of` takes.
OPTIONS = {"threshold": BUNDLE_THRESHOLD}


@dataclass(frozen=True)
class Score:
    """A thing and its probability, 0 to 1; each stands alone."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Tags:
    """The things in a picture, likeliest first, and the probabilities of all."""

    tags: tuple[str, ...]
    scores: tuple[Score, ...]
    threshold: float

    def as_row(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return asdict(self)


Answer = Tags


def answer_of(outputs: Arrays, threshold: float = BUNDLE_THRESHOLD) -> Tags:
    """Return the things whose probability reaches the threshold."""
    (row,) = finite(outputs[OUTPUTS[0]]).tolist()
    pairs = enumerate(zip(LABELS, row, strict=True))
    scores = tuple(Score(label, index, value) for index, (label, value) in pairs)
    found = [score for score in scores if score.probability >= threshold]
    found.sort(key=lambda score: -score.probability)
    return Tags(tuple(score.label for score in found), scores, threshold)
