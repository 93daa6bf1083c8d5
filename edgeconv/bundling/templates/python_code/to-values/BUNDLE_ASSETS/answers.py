"""What the model's outputs mean: numbers with names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .contract import LABELS, OUTPUTS, Arrays, finite

# Options of the command line, which `answer_of` takes.
OPTIONS: dict[str, float] = {}


@dataclass(frozen=True)
class Values:
    """Numbers by their names."""

    values: dict[str, float]

    def as_row(self) -> dict[str, Any]:
        """Return the answer as a JSON object."""
        return asdict(self)


Answer = Values


def answer_of(outputs: Arrays) -> Values:
    """Return the numbers."""
    (row,) = finite(outputs[OUTPUTS[0]]).tolist()
    return Values(dict(zip(LABELS, row, strict=True)))
