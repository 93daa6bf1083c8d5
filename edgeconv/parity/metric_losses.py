"""What a stage loses of the metrics of its task, with the interval that the sample leaves open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import ConfigError
from edgeconv.parity.accuracy import limit_of
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.intervals import Lost, jackknife
from edgeconv.parity.ledger import LOST, Gate, Row
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.metrics import OF, Rounding, figures_of, metric_named
from edgeconv.tasks import CLASSES
from edgeconv.variants import INT8_TOLERANCE, is_int8, variant_of


@dataclass(frozen=True)
class Figures:
    """The metrics of a stage on what is known to be right, as functions of some of the samples, by their numbers."""

    by_name: Mapping[str, Callable[[NDArray[np.intp]], float]]
    count: int

    @classmethod
    def of(cls, answers: Sequence[Answers], compared: ComparisonSet, meaning: Meaning) -> Figures:
        """Return those of answers, batch by batch; none where nothing is known."""
        return cls(figures_of(answers, compared, meaning), compared.count)

    @property
    def whole(self) -> dict[str, float]:
        """The figures of all samples."""
        return {name: of(np.arange(self.count)) for name, of in self.by_name.items()}


def metrics_lost(
    figures: Figures, reference: Figures, compared: ComparisonSet, meaning: Meaning, stage: str | None = None
) -> dict[str, Lost]:
    """Return what is lost of each figure, in percentage points of a share or percent of an error.

    Args:
        figures: of a stage.
        reference: those of the reference.
        compared: the samples.
        meaning: of the one output, or of each.
        stage: its name; None is a candidate for int8. What computes as the reference does has no interval.
    """
    variant = None if stage is None else variant_of(stage)
    tolerance = INT8_TOLERANCE if stage is None else 0.0 if variant is None else variant.tolerance
    doubtful = stage is None or is_int8(stage)
    return {name: _lost(name, figures, reference, compared, meaning, tolerance, doubtful) for name in figures.by_name}


def _lost(
    name: str,
    figures: Figures,
    reference: Figures,
    compared: ComparisonSet,
    meaning: Meaning,
    tolerance: float,
    doubtful: bool,
) -> Lost:
    spreads = compared.spreads or {}
    spread = spreads.get(name.partition(OF)[2], next(iter(spreads.values()), 0.0))

    def percent(chosen: NDArray[np.intp]) -> float:
        before, after = reference.by_name[name](chosen), figures.by_name[name](chosen)
        if meaning.metric is not None:
            return meaning.metric.lost(before, after)
        return metric_named(name).lost(before, after, Rounding(tolerance, spread))

    exact = Lost.exactly(percent(np.arange(figures.count)))
    if not doubtful:
        return exact
    try:
        return jackknife(percent, figures.count)
    except ConfigError:  # A metric of the user's own that only takes all samples.
        return exact


def judge_metrics(
    rows: Sequence[Row], losses: Mapping[str, Mapping[str, Lost]], meaning: Meaning, *, max_drop: float | None
) -> tuple[Gate, ...]:
    """Return a gate for each metric of each row behind the first, which is the reference.

    Args:
        rows: the ledger's rows.
        losses: what each stage loses, by its name and that of the figure.
        meaning: of the one output, or of each.
        max_drop: what a stage may lose, in percentage points of a share or percent of an error; None takes what
            `limit_of` has for int8 of the task, and `RIGHT_ANSWERS` of others.
    """
    gates = []
    for row in rows[1:]:
        for name, lost in losses.get(row.stage, {}).items():
            limit = limit_of(task_of(name, meaning) if is_int8(row.stage) else CLASSES, max_drop)
            gates.append(Gate.of_loss(row.stage, f"{name}{LOST}", limit, lost, "what --max-drop allows"))
    return tuple(gates)


def task_of(name: str, meaning: Meaning) -> str:
    """Return the task of the output that a figure is of."""
    return meaning.of_output(name.partition(OF)[2]).task
