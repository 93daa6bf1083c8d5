"""Stages compared by the values of their outputs, where there are no classes: as shares of an output's spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.ledger import SPREAD_GATE, Differences, Gate, Row
from edgeconv.parity.sqnr import power, sqnr_db
from edgeconv.parity.stage import Stage
from edgeconv.variants import variant_of

REASON = "a share of the spread of the output: rounding costs less, and a wrong operator, axis or constant more"


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
    # What is decided by the values, and has no spread, has gates of its own.
    each = {name: _errors(name, answers, reference, spread) for name, spread in (compared.spreads or {}).items()}
    error, signal = (np.concatenate(parts) for parts in zip(*each.values(), strict=True))
    several = len(each) > 1 and DETECTIONS not in reference[0]
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
        outputs={name: _differences(*parts) for name, parts in each.items()} if several else {},
    )


def _errors(
    name: str, answers: Sequence[Answers], reference: Sequence[Answers], spread: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the errors of an output, and what the reference answers, as shares of the spread."""
    pairs = [(given[name], wanted[name]) for given, wanted in zip(answers, reference, strict=True) if name in wanted]
    signal = np.concatenate([wanted.astype(np.float64).ravel() for _, wanted in pairs]) / (spread or 1.0)
    return np.concatenate([given.astype(np.float64).ravel() for given, _ in pairs]) / (spread or 1.0) - signal, signal


def _differences(error: NDArray[np.float64], signal: NDArray[np.float64]) -> Differences:
    sizes = np.abs(error)
    return Differences(float(sizes.max()), float(sizes.mean()), sqnr_db(power(signal), power(error)))


def judge_values(row: Row) -> tuple[Gate, ...]:
    """Return the gates of a stage's largest error, of each output by itself where there are several."""
    limit = _tolerance(row.stage)
    errors = {f"{SPREAD_GATE} of {name}": own.max_error for name, own in row.outputs.items()}
    return tuple(
        Gate(row.stage, name, limit, error, error <= limit, REASON)
        for name, error in (errors or {SPREAD_GATE: row.max_abs_dp}).items()
    )


def _tolerance(stage: str) -> float:
    return variant.tolerance if (variant := variant_of(stage)) is not None else 0.0
