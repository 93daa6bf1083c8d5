"""Stages compared by the values of their outputs, where there are no classes: as shares of an output's spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.ledger import SPREAD_GATE, Gate, Row
from edgeconv.parity.sqnr import power, sqnr_db
from edgeconv.parity.stage import Stage
from edgeconv.variants import VARIANTS

REASON = "without labelled images: inputs of the model's own range, differences as shares of the spread of the output"


LEAST_SCALE = 1e-2
"""Share of the largest answer that counts as the spread of answers which lie closer together: rounding grows with the
answers, not with their differences."""


def spread_of(values: NDArray[np.float64]) -> float:
    """Return how far apart the answers of an output lie; 0 where there are none, or some are no numbers."""
    if not values.size or not np.isfinite(values).all():
        return 0.0
    return max(float(np.ptp(values)), LEAST_SCALE * float(np.abs(values).max()))


def compare_values(
    stage: Stage,
    answers: Sequence[Answers],
    reference: Sequence[Answers],
    compared: ComparisonSet,
    *,
    p50_latency_ms: float | None,
) -> Row:
    """Hold a stage's answers against the reference's; the agreement is the share of values within the tolerance.

    Args:
        stage: whose answers they are.
        answers: batch by batch.
        reference: the same of the reference.
        compared: the inputs, with the spread of each output.
        p50_latency_ms: median time of a call, or None.
    """
    errors, signals, spreads = [], [], compared.spreads or {}
    for given, expected in zip(answers, reference, strict=True):
        for name, values in expected.items():
            if name not in spreads:  # What is decided by the values has gates of its own.
                continue
            spread = spreads[name] or 1.0
            signals.append(values.astype(np.float64).ravel() / spread)
            errors.append(given[name].astype(np.float64).ravel() / spread - signals[-1])
    error, signal = np.concatenate(errors), np.concatenate(signals)
    return Row(
        stage=stage.name,
        provider=stage.provider,
        count=compared.count,
        accuracy=None,
        accuracy_low=None,
        accuracy_high=None,
        agreement=float((np.abs(error) <= _tolerance(stage.name)).mean()),
        flips=(),
        max_abs_dp=float(np.abs(error).max()),
        mean_abs_dp=float(np.abs(error).mean()),
        sqnr_db=sqnr_db(power(signal), power(error)),
        size_bytes=stage.size_bytes,
        p50_latency_ms=p50_latency_ms,
        confusion=(),
    )


def judge_values(rows: Sequence[Row]) -> tuple[Gate, ...]:
    """Return the gates of the rows behind the first, which is the reference."""
    limits = [(row, _tolerance(row.stage)) for row in rows[1:]]
    return tuple(
        Gate(row.stage, SPREAD_GATE, limit, row.max_abs_dp, row.max_abs_dp <= limit, REASON) for row, limit in limits
    )


def _tolerance(stage: str) -> float:
    return VARIANTS[stage].tolerance or 0.0 if stage in VARIANTS else 0.0
