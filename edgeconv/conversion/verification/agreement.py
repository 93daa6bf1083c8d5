"""Whether a file answers as Keras does, on the inputs that they are compared on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import UnsupportedModelError, one_line
from edgeconv.parity.comparison import Answers, Batch, ComparisonSet
from edgeconv.parity.stage import answers_of, stage_of_tensors
from edgeconv.parity.values import TIES
from edgeconv.runtime.session import Session


@dataclass(frozen=True)
class Difference:
    """The largest difference of a file's answers from the reference's.

    Attributes:
        output: name of the output.
        error: the largest difference.
        share: of the output's spread, or of whole numbers what `TIES` makes of the share that differ; infinite where
            shapes differ or an answer is no number.
        batch: the inputs that it was seen on.
        answers: the file's, to all inputs.
    """

    output: str
    error: float
    share: float
    batch: Batch
    answers: tuple[Answers, ...]

    def sentence(self, tolerance: float) -> str:
        """Say it."""
        return (
            f"answer in ONNX as in Keras, to within {tolerance:g} of the spread of its outputs. Received: a difference "
            f"of {self.error:.3g} in `{self.output}`, {self.share:.2g} of the spread, on {self.batch.what}"
        )


def largest_difference(model: bytes, compared: ComparisonSet, session: Session | None = None) -> Difference:
    """Run a file on sample inputs, and return where it differs most from the reference.

    Args:
        model: the file.
        compared: the inputs, with the reference's answers and their spreads.
        session: of the file, where it is open already.

    Raises:
        UnsupportedModelError: ONNX Runtime does not run it on these inputs, such as indices beyond a table's end.
    """
    spreads = compared.spreads or {}
    worst: Difference | None = None
    try:
        answered = answers_of(stage_of_tensors("", model, session=session), compared)
    except Exception as failure:  # The classes that ONNX Runtime raises share no other base.
        reason = one_line(failure.__cause__ or failure)
        raise UnsupportedModelError(
            f"The file must run on the inputs that it is compared on. Received: {reason}. Give inputs that the model "
            "expects with `--input-data x.npz`."
        ) from failure
    for batch, answers in zip(compared.batches, answered, strict=True):
        for name, expected in batch.expected.items():
            error, share = _distance(answers[name], expected, spreads[name])
            if worst is None or share > worst.share:
                worst = Difference(name, error, share, batch, answered)
    if worst is None:
        raise ValueError("a model without outputs")
    return worst


def _distance(answer: NDArray[Any], expected: NDArray[Any], spread: float) -> tuple[float, float]:
    if answer.shape != expected.shape:
        return float("inf"), float("inf")
    if expected.dtype.kind != "f":
        wrong = float((answer != expected).mean()) if expected.size else 0.0
        return wrong, TIES * wrong
    error = float(np.abs(answer.astype(np.float64) - expected).max(initial=0.0))
    return (error, error / spread) if np.isfinite(error) and spread else (error, float("inf") if error else 0.0)
