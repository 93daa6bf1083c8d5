"""The parity ledger as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]


def _accuracy(row: Row) -> str:
    if row["accuracy"] is None:
        return "-"
    return f"{row['accuracy']:.2%} ({row['accuracy_low']:.2%} - {row['accuracy_high']:.2%})"


def _provider(row: Row) -> str:
    from edgeconv.runtime.providers import short_name

    return short_name(row["provider"])


COLUMNS: dict[str, Callable[[Row], str]] = {
    "stage": lambda row: str(row["stage"]),
    "provider": _provider,
    "images": lambda row: str(row["count"]),
    "accuracy (95 % interval)": _accuracy,
    "agreement": lambda row: f"{row['agreement']:.2%}",
    "flips": lambda row: str(len(row["flips"])),
    "max |dp|": lambda row: f"{row['max_abs_dp']:.1e}",
    "mean |dp|": lambda row: f"{row['mean_abs_dp']:.1e}",
    "SQNR dB": lambda row: "-" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f}",
    "bytes": lambda row: str(row["size_bytes"]),
    "p50 ms": lambda row: "-" if row["p50_latency_ms"] is None else f"{row['p50_latency_ms']:.3f}",
}
"""Headings, each with what makes its cell of a ledger's row."""
