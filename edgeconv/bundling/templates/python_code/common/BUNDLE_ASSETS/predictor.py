"""From an input to its answer, wherever the model runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from .answers import Answer, answer_of
from .contract import Arrays, check_found
from .inputs import feed


class Predictor(ABC):
    """What runs the model."""

    def predict(self, source: Any, **options: Any) -> Answer:
        """Answer one input.

        Args:
            source: as `inputs.feed` takes it.
            options: of `answers.answer_of`.

        Raises:
            InputError: it is no such input, or nothing is found in it.
            BundleError: the model cannot be run.
        """
        outputs = self.run(feed(source))
        check_found(outputs)
        return answer_of(outputs, **options)

    @abstractmethod
    def run(self, arrays: Arrays) -> Arrays:
        """Return the outputs to inputs by name."""
