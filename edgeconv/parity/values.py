"""Stages compared by the values of their outputs, where there are no classes: as shares of an output's spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.boxes import DETECTIONS
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.ledger import SPREAD_GATE, Differences, Gate, Row
from edgeconv.parity.spilling import pieces
from edgeconv.parity.sqnr import power, sqnr_db
from edgeconv.parity.stage import Stage
from edgeconv.variants import variant_of

REASON = "a share of the spread of the output: rounding costs less, and a wrong operator, axis or constant more"

TIES_GATE = "values that differ in percent"

TIES = 10.0
"""What the share of whole numbers that differ counts as, beside an error over the spread: an argmax of two that are as
large to the last bits of float32 is either, so that of its answers one in 10,000 may differ, as of the pixels of a
mask, and of float16's one in 1,000."""

LEAST_SCALE = 1e-2
"""Share of the largest answer that counts as the spread of answers which lie closer together: rounding grows with the
answers, not with their differences."""


def spread_of(parts: Iterable[NDArray[Any]]) -> float:
    """Return how far apart the answers of an output lie; 0 where there are none, or some are no numbers."""
    ends = [(values.min(), values.max()) for part in parts for (values,) in pieces(part)]
    if not np.isfinite(ends).all() or not ends:
        return 0.0
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    return max(high - low, LEAST_SCALE * max(abs(low), abs(high)))


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
    tolerance = _tolerance(stage.inside or stage.name)
    each = {
        name: _errors(name, answers, reference, spread, tolerance) for name, spread in (compared.spreads or {}).items()
    }
    errors = _Errors.joined(each.values())
    several = len(each) > 1 and DETECTIONS not in reference[0]
    return Row(
        stage=stage.name,
        provider=stage.provider,
        count=compared.count,
        accuracy=None,
        accuracy_low=None,
        accuracy_high=None,
        agreement=errors.within / errors.values,
        flips=(),
        max_abs_dp=errors.largest,
        mean_abs_dp=errors.total / errors.values,
        sqnr_db=sqnr_db(errors.signal, errors.noise),
        size_bytes=stage.size_bytes,
        p50_latency_ms=p50_latency_ms,
        confusion=(),
        outputs={name: own.differences() for name, own in each.items()} if several else {},
    )


class _Errors(NamedTuple):
    """The errors of answers, as shares of a spread, summed up.

    Attributes:
        values: how many there are.
        within: how many of them are within the tolerance.
        largest: of the errors, without its sign.
        total: of the errors, without their signs.
        signal: sum of the squares of what the reference answers.
        noise: sum of the squares of the errors.
    """

    values: int
    within: int
    largest: float
    total: float
    signal: float
    noise: float

    @classmethod
    def joined(cls, parts: Iterable[_Errors]) -> _Errors:
        """Return the errors of several parts."""
        values, within, largest, *sums = zip(*parts, strict=True)
        return cls(sum(values), sum(within), float(np.max(largest)), *map(sum, sums))

    def differences(self) -> Differences:
        return Differences(self.largest, self.total / self.values, sqnr_db(self.signal, self.noise))


def _errors(
    name: str, answers: Sequence[Answers], reference: Sequence[Answers], spread: float, tolerance: float
) -> _Errors:
    """Sum up the errors of an output."""
    found = []
    for given, wanted in zip(answers, reference, strict=True):
        for value, expected in pieces(given[name], wanted[name]) if name in wanted else ():
            signal = expected / (spread or 1.0)
            error = value / (spread or 1.0) - signal
            sizes = np.abs(error)
            within = int((sizes <= tolerance).sum())
            found.append(_Errors(len(error), within, sizes.max(), sizes.sum(), power(signal), power(error)))
    return _Errors.joined(found)


def judge_values(row: Row, answers: Sequence[Answers], reference: Sequence[Answers]) -> tuple[Gate, ...]:
    """Return the gates of a stage's largest error, of each output by itself where there are several.

    Whole numbers that are farther off, such as the classes of an argmax, may be few: see `TIES`.
    """
    limit, gates = _tolerance(row.stage), []
    errors = {f" of {name}": own.max_error for name, own in row.outputs.items()} or {"": row.max_abs_dp}
    for (of, error), name in zip(errors.items(), row.outputs or reference[0], strict=False):
        if error > limit and np.asarray(reference[0][name]).dtype.kind != "f":
            share = differing(name, answers, reference)
            most = limit / TIES
            gates.append(Gate(row.stage, f"{TIES_GATE}{of}", 100 * most, 100 * share, share <= most, "near ties"))
        else:
            gates.append(Gate(row.stage, f"{SPREAD_GATE}{of}", limit, error, error <= limit, REASON))
    return tuple(gates)


def differing(name: str, answers: Sequence[Answers], reference: Sequence[Answers]) -> float:
    """Return the share of the values of an output that are others than the reference's."""
    pairs = [
        (np.asarray(given[name]), np.asarray(wanted[name])) for given, wanted in zip(answers, reference, strict=True)
    ]
    return float(sum((one != other).sum() for one, other in pairs) / max(1, sum(other.size for _, other in pairs)))


def _tolerance(stage: str) -> float:
    return variant.tolerance if (variant := variant_of(stage)) is not None else 0.0
