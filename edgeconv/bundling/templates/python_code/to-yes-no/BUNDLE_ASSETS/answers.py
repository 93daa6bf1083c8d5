"""What the model's output means: a yes or a no."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .contract import LABELS, OUTPUTS, Arrays, finite

# Options of the command line, which `answer_of` takes.
OPTIONS = {"threshold": BUNDLE_THRESHOLD}


@dataclass(frozen=True)
class YesNo:
    """The label of the two that is answered; the probability is that of the yes."""

    label: str
    answer: bool
    probability: float
    threshold: float

    def as_row(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return asdict(self)


Answer = YesNo


def answer_of(outputs: Arrays, threshold: float = BUNDLE_THRESHOLD) -> YesNo:
    """Return yes where its probability reaches the threshold."""
    probability = float(finite(outputs[OUTPUTS[0]]).item())
    yes = probability >= threshold
    return YesNo(LABELS[yes], yes, probability, threshold)
