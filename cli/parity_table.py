"""The parity ledger as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .output import provider_of

if TYPE_CHECKING:
    from edgeconv.parity.ledger import Ledger

Row = Mapping[str, Any]


def _accuracy(row: Row) -> str:
    if row["accuracy"] is None:
        return "-"
    return f"{row['accuracy']:.2%} ({row['accuracy_low']:.2%} - {row['accuracy_high']:.2%})"


_CLASSES: dict[str, Callable[[Row], str]] = {
    "images": lambda row: str(row["count"]),
    "accuracy (95 % interval)": _accuracy,
    "agreement": lambda row: f"{row['agreement']:.2%}",
    "flips": lambda row: str(len(row["flips"])),
    "max |dp|": lambda row: f"{row['max_abs_dp']:.1e}",
    "mean |dp|": lambda row: f"{row['mean_abs_dp']:.1e}",
}
_VALUES: dict[str, Callable[[Row], str]] = {
    "agreement": lambda row: f"{row['agreement']:.2%}",
    "max error / spread": lambda row: f"{row['max_abs_dp']:.1e}",
    "mean error / spread": lambda row: f"{row['mean_abs_dp']:.1e}",
}


def parity_columns(ledger: Ledger) -> dict[str, Callable[[Row], str]]:
    """Return the headings of a ledger's table, each with what makes its cell of a row.

    Where no classes are compared, there is a column for each metric, and for each gate beside the error.
    """
    metrics = {name: _metric(name) for name in ledger.rows[0].metrics}
    own = {**_CLASSES, **metrics}
    if ledger.in_spreads:
        gates = {gate.name: _gate(ledger, gate.name) for gate in ledger.gates if gate.is_decision}
        own = {"inputs": lambda row: str(row["count"]), **metrics, **gates, **_VALUES}
    return {
        "stage": lambda row: str(row["stage"]),
        "provider": provider_of,
        **own,
        "SQNR dB": lambda row: "-" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f}",
        "bytes": lambda row: str(row["size_bytes"]),
        "p50 ms": lambda row: "-" if row["p50_latency_ms"] is None else f"{row['p50_latency_ms']:.3f}",
    }


def _metric(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        metrics = row.get("metrics", {})  # Pictures that were drawn of images have no labels.
        return f"{metrics[name]:.4g}" if name in metrics else "-"

    return cell


def _gate(ledger: Ledger, name: str) -> Callable[[Row], str]:
    received = {gate.stage: f"{gate.received:.3g}" for gate in ledger.gates if gate.name == name}
    return lambda row: received.get(row["stage"], "-")
