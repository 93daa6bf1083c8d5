"""The parity ledger where no labelled images are at hand: differences as shares of the spread of the outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial

import numpy as np

from edgeconv.conversion.verification.agreement import Trials, run_trial
from edgeconv.parity.ledger import SPREAD_GATE, Gate, Ledger, Row
from edgeconv.parity.prove import median_latency_ms
from edgeconv.parity.sqnr import power, sqnr_db
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session
from edgeconv.variants import VARIANTS

REASON = "without labelled images: inputs of the model's own range, differences as shares of the spread of the output"


def ledger_of_trials(size_bytes: int, files: Mapping[str, bytes], trials: Trials) -> Ledger:
    """Run files on trials, and judge.

    Args:
        size_bytes: of the reference's file.
        files: the `.onnx` files by variant.
        trials: inputs, and the reference's answers to them.
    """
    count = sum(len(next(iter(trial.feeds.values()))) for trial in trials.trials)
    digest = hashlib.sha256()
    for trial in trials.trials:
        for name in sorted(trial.feeds):
            digest.update(np.ascontiguousarray(trial.feeds[name]).tobytes())
    rows = [_row("keras", "tensorflow", count, np.zeros(1), np.zeros(1), size_bytes, 1.0, None)]
    gates = []
    for variant, data in files.items():
        session = open_session(data, CPU, threads=1)
        errors, signals = [], []
        for trial in trials.trials:
            answers = run_trial(session, trial)
            for name, expected in trial.expected.items():
                spread = trials.spreads[name] or 1.0
                signals.append(expected.astype(np.float64).ravel() / spread)
                errors.append(answers[name].astype(np.float64).ravel() / spread - signals[-1])
        error, signal = np.concatenate(errors), np.concatenate(signals)
        latency = median_latency_ms(partial(run_trial, session, trials.trials[-1]))
        tolerance = VARIANTS[variant].tolerance or 0.0
        rows.append(_row(variant, CPU, count, error, signal, len(data), tolerance, latency))
        worst = rows[-1].max_abs_dp
        gates.append(Gate(variant, SPREAD_GATE, tolerance, worst, worst <= tolerance, REASON))
    source = "random" if trials.source else "given"
    return Ledger(source, source, digest.hexdigest(), tuple(rows), tuple(gates))


def _row(
    stage: str,
    provider: str,
    count: int,
    error: np.ndarray,
    signal: np.ndarray,
    size_bytes: int,
    tolerance: float,
    latency_ms: float | None,
) -> Row:
    """Return a row without classes: the agreement is the share of values within the tolerance."""
    return Row(
        stage=stage,
        provider=provider,
        count=count,
        accuracy=None,
        accuracy_low=None,
        accuracy_high=None,
        agreement=float((np.abs(error) <= tolerance).mean()),
        flips=(),
        max_abs_dp=float(np.abs(error).max()),
        mean_abs_dp=float(np.abs(error).mean()),
        sqnr_db=sqnr_db(power(signal), power(error)),
        size_bytes=size_bytes,
        p50_latency_ms=latency_ms,
        confusion=(),
    )
