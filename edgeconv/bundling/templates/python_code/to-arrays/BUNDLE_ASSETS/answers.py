"""What the model answers: arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .contract import OUTPUTS, Arrays, finite

# Options of the command line, which `answer_of` takes.
OPTIONS: dict[str, float] = {}


@dataclass(frozen=True, eq=False)
class Outputs:
    """Arrays by the names of the outputs."""

    outputs: Arrays

    def as_row(self) -> dict[str, Any]:
        """Return the arrays as a JSON object."""
        return {
            "outputs": {
                name: {
                    "dtype": array.dtype.name,
                    "shape": list(array.shape),
                    "data": finite(array).ravel().tolist(),
                }
                for name, array in self.outputs.items()
            }
        }


Answer = Outputs


def answer_of(outputs: Arrays) -> Outputs:
    """Return the outputs, without what the net was fed."""
    return Outputs({name: outputs[name] for name in OUTPUTS})
