"""A figure of the user's own: a function of what a model answers and of what is right."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from edgeconv.errors import ConfigError, one_line
from edgeconv.importing import import_function

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class OwnMetric:
    """A metric that its user brings; higher is better.

    Attributes:
        name: of the figure: ``"module:function"``.
        function: of outputs and targets, each an array, (n, ...), or with several outputs arrays by output.
    """

    name: str
    function: Callable[[Any, Any], Any] = field(repr=False)

    @classmethod
    def named(cls, place: str | None) -> OwnMetric | None:
        """Import the metric of a place, ``"module:function"``; None where none is named.

        Raises:
            ConfigError: there is no such function.
        """
        return None if place is None else cls(place, import_function(place, option="metric"))

    def of(self, outputs: Arrays, targets: Arrays) -> float:
        """Return the figure.

        Raises:
            ConfigError: the function fails, or returns no number.
        """
        given = [next(iter(arrays.values())) if len(targets) == 1 else dict(arrays) for arrays in (outputs, targets)]
        try:
            value = float(self.function(*given))
        except Exception as error:  # Code of the user's own.
            raise ConfigError(
                f"`metric` must return a number for outputs and targets. Received: {self.name}: "
                f"{type(error).__name__}: {one_line(error)}. Correct it."
            ) from error
        if not math.isfinite(value):
            raise ConfigError(f"`metric` must return a number. Received: {value} of {self.name}. Correct it.")
        return value

    def lost(self, reference: float, value: float) -> float:
        """Return what is lost, in percent of the reference's figure."""
        return 100.0 * (reference - value) / max(abs(reference), 1e-12)
