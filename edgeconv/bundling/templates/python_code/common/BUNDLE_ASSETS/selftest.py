"""The self-test: does the model answer here as the reference did?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .contract import (
    INPUTS,
    LABELS,
    OUTPUTS,
    PREPARED,
    SELFTEST_FILE,
    Arrays,
    BundleError,
)
from .samples import Limit, Sample, read_samples


class Runs(Protocol):
    """What is tried."""

    def run(self, arrays: Arrays) -> Arrays:
        """Return the outputs to inputs by name."""
        ...


@dataclass(frozen=True)
class Row:
    """How far the model was off on one sample.

    `errors` are the largest differences of each output, without the cells that are
    spared; None where the net could not be fed what the reference was fed.
    """

    sample: int
    label: int
    errors: dict[str, float | None]
    outputs: dict[str, list[Any]]


@dataclass(frozen=True)
class Report:
    """Whether the model answers as the reference did, sample by sample and in words."""

    passed: bool
    rows: tuple[Row, ...]
    verdict: tuple[str, ...]


def selftest(model: Runs, file: Path = SELFTEST_FILE) -> Report:
    """Run the model on samples whose answers are known.

    Preparation and inference are judged apart: inference by a run in which the net was
    fed the very image that the reference was fed.

    Raises:
        BundleError: the file is damaged or of another model.
    """
    samples, limits = read_samples(file)
    rows = tuple(
        _try(model, number, sample, limits) for number, sample in enumerate(samples)
    )
    return judge(rows, limits)


def judge(rows: Sequence[Row], limits: dict[str, Limit]) -> Report:
    """Return what the rows amount to."""
    within, failures = [], []
    for name in (PREPARED, *OUTPUTS) if PREPARED else OUTPUTS:
        judged = [row for row in rows if row.errors.get(name) is not None]
        if not judged:
            continue
        worst = max(judged, key=lambda row: row.errors[name] or 0)
        error, limit = worst.errors[name] or 0.0, limits[name].largest
        step, what, unit = "inference", name, f" in {name}"
        if name == PREPARED:
            step, what, unit = "preparation", "preparation", " grey levels"
        if not error <= limit:
            failures.append(
                f"FAIL: {step} is off: {_name(worst)} differs by {error:.3g}{unit}, "
                f"allowed are {limit:.3g}"
            )
        of = f"{limit:.3g}{unit}" if name == PREPARED else f"{limit:.3g}"
        within.append(f"{what} within {error:.3g} of {of}")
    passed = f"PASS: {len(rows)} samples; {', '.join(within)}"
    return Report(not failures, tuple(rows), tuple(failures) or (passed,))


def _try(model: Runs, number: int, sample: Sample, limits: dict[str, Limit]) -> Row:
    first = model.run(sample.inputs)
    errors = differences(first, sample.outputs, limits)
    if PREPARED and errors[PREPARED] != 0:
        # A prepared image is left as it is: this feeds the net past its preparation.
        again = model.run({INPUTS[0]: sample.outputs[PREPARED][0]})
        fed = differences(again, sample.outputs, limits)
        reached = fed[PREPARED] == 0
        errors |= {name: fed[name] if reached else None for name in OUTPUTS}
    outputs = {name: first[name].ravel().tolist() for name in OUTPUTS}
    return Row(number, sample.label, errors, outputs)


def differences(
    received: Arrays, wanted: Arrays, limits: dict[str, Limit]
) -> dict[str, float | None]:
    """Return the largest difference of each output, without what is spared of it.

    What is no number is infinitely off, and is not spared.
    """
    found: dict[str, float | None] = {}
    for name, expected in wanted.items():
        if received[name].shape != expected.shape:
            raise BundleError("the model is not the one that this file was made for")
        numbers, others = received[name].astype(np.float64), expected.astype(np.float64)
        with np.errstate(invalid="ignore"):
            off = np.where(numbers == others, 0.0, np.abs(numbers - others))
        cells = np.nan_to_num(off, nan=np.inf).reshape(-1, limits[name].cell)
        found[name] = _largest(cells.max(axis=1, initial=0.0), limits[name].spared)
    return found


def _largest(cells: NDArray[np.float64], spared: float) -> float:
    if not cells.size or np.isinf(cells.max()):
        return float(cells.max(initial=0.0))
    return float(np.sort(cells)[cells.size - 1 - int(spared * cells.size)])


def _name(row: Row) -> str:
    label = LABELS[row.label] if 0 <= row.label < len(LABELS) else None
    shown = "" if label is None else f" ({json.dumps(label, ensure_ascii=False)})"
    return f"sample {row.sample}{shown}"
