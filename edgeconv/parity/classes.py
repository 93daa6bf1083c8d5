"""Stages compared by the classes that they answer: accuracy, flips, and differences of probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.accuracy import accuracy_drop, drop_in_points, within
from edgeconv.parity.intervals import Lost, accuracy_lost, flips_lost, wilson
from edgeconv.parity.ledger import Flip, Gate, Row
from edgeconv.parity.sqnr import power, sqnr_db
from edgeconv.parity.stage import FAKE_QUANTIZED, FROM_FILE, Stage
from edgeconv.variants import variant_of

MOST_CLASSES_SHOWN = 100
"""Confusion matrices of more classes are left out: nobody reads them, and they grow with the square."""

_WORST = 1e9


def compare_classes(
    stage: Stage,
    answers: NDArray[np.float32],
    reference: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    *,
    p50_latency_ms: float | None,
) -> Row:
    """Hold a stage's answers against the reference's.

    Args:
        stage: whose answers they are.
        answers: float32, (n, classes), 0 to 1.
        reference: the same of the reference.
        labels: int64, (n,), the true classes, or None.
        p50_latency_ms: median time of a batch of one, or None.
    """
    classes, told, expected = answers.shape[1], answers.argmax(axis=1), reference.argmax(axis=1)
    truth = np.full(len(answers), -1, np.int64) if labels is None else labels
    different = np.flatnonzero(told != expected)
    # An answer that is no number differs by as much as a number can: the gates must see it, and JSON has no NaN.
    lost = flips_lost(told != expected) if labels is None else accuracy_lost(told == truth, expected == truth)
    error = np.nan_to_num(answers.astype(np.float64) - reference, nan=_WORST, posinf=_WORST, neginf=-_WORST)
    low, high = (None, None) if labels is None else wilson(int((told == truth).sum()), len(truth))
    confusion: tuple[tuple[int, ...], ...] = ()
    if labels is not None and classes <= MOST_CLASSES_SHOWN:
        counts = np.bincount(truth * classes + told, minlength=classes * classes).reshape(classes, classes)
        confusion = tuple(tuple(int(count) for count in line) for line in counts)
    return Row(
        stage=stage.name,
        provider=stage.provider,
        count=len(answers),
        accuracy=None if labels is None else float((told == truth).mean()),
        accuracy_low=low,
        accuracy_high=high,
        agreement=float((told == expected).mean()),
        flips=tuple(Flip(int(i), int(truth[i]), int(expected[i]), int(told[i])) for i in different),
        max_abs_dp=float(np.abs(error).max()),
        mean_abs_dp=float(np.abs(error).mean()),
        sqnr_db=sqnr_db(power(reference), power(error)),
        size_bytes=stage.size_bytes,
        p50_latency_ms=p50_latency_ms,
        confusion=confusion,
        drop=accuracy_drop(told, expected, labels),
        drop_low=lost.low,
        drop_high=lost.high,
    )


def judge_classes(rows: Sequence[Row], *, max_drop: float) -> tuple[Gate, ...]:
    """Return the gates of the rows behind the first, which is the reference.

    Args:
        rows: the ledger's rows.
        max_drop: accuracy that int8 may lose, in percentage points.
    """
    gates: list[Gate] = []
    for row in rows[1:]:
        variant = variant_of(row.stage)
        max_dp = None if variant is None else variant.max_dp
        if max_dp is not None:
            gates.append(_gate(row, "flips", 0, len(row.flips), "the same arithmetic must give the same answers"))
            gates.append(_gate(row, "max |dp|", max_dp, row.max_abs_dp, "float32 sums in another order"))
        elif row.stage == FAKE_QUANTIZED:
            continue  # What the training made of it; int8 is held against this row.
        elif row.stage == FROM_FILE:
            gates += _preparation_gates(row, rows[0], max_drop)
        elif row.drop is not None and row.accuracy is not None:
            gates.append(_lossy_gate(row, "accuracy drop in percentage points", max_drop, "what --max-drop allows"))
        elif row.drop is not None:
            gates.append(_lossy_gate(row, "flips in percent", max_drop, "without labels, Keras' answers are the truth"))
    return tuple(gates)


def _preparation_gates(row: Row, ours: Row, max_drop: float) -> list[Gate]:
    """Return the gate of what pictures lose on the way of the contract, beside the user's own; none without labels."""
    if row.accuracy is None or row.accuracy_low is None or ours.accuracy is None:
        return []
    # Decoders and roundings differ: one picture of a few hundred may be answered otherwise without a cause.
    limit = max(max_drop, drop_in_points(row.accuracy, row.accuracy_low))
    lost = drop_in_points(row.accuracy, ours.accuracy)
    return [_gate(row, "accuracy that our preparation loses", limit, lost, "less is within its 95 % interval")]


def _gate(row: Row, name: str, limit: float, received: float, reason: str) -> Gate:
    return Gate(row.stage, name, limit, received, within(received, limit), reason)


def _lossy_gate(row: Row, name: str, max_drop: float, reason: str) -> Gate:
    """Return the gate of a stage that may lose some accuracy, as far as its images can tell."""
    drop = row.drop or 0.0
    low, high = (drop if end is None else end for end in (row.drop_low, row.drop_high))
    return Gate.of_loss(row.stage, name, max_drop, Lost(drop, low, high, row.count), reason)
