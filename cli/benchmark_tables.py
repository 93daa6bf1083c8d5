"""The tables of `edgeconv benchmark`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .output import provider_of

Row = Mapping[str, Any]
Columns = dict[str, Callable[[Row], str]]


def _subject(row: Row) -> str:
    """Return the variant, and the picture that it is given where that is no prepared image."""
    return str(row["variant"]) if row["picture"] is None else f"{row['variant']}, {row['picture']} picture"


def _spread(row: Row) -> str:
    """Return the half of the interval as a share of the median."""
    return f"{50 * (row['p50_high_ms'] - row['p50_low_ms']) / row['p50_latency_ms']:.0f}"


BENCHMARK_COLUMNS: Columns = {
    "variant": _subject,
    "provider": provider_of,
    "threads": lambda row: str(row["threads"]),
    "batch": lambda row: str(row["batch"]),
    "p50 ms": lambda row: f"{row['p50_latency_ms']:.3f}",
    "+/- %": _spread,
    "p95 ms": lambda row: f"{row['p95_latency_ms']:.3f}",
    "p99 ms": lambda row: f"{row['p99_latency_ms']:.3f}",
    "images/s": lambda row: f"{row['images_per_second']:.0f}",
    "load ms": lambda row: "-" if row["load_ms"] is None else f"{row['load_ms']:.1f}",
    "memory MB": lambda row: "-" if row["memory_bytes"] is None else f"{row['memory_bytes'] / 1e6:.1f}",
    "bytes": lambda row: str(row["size_bytes"]),
    "accuracy": lambda row: "-" if row["accuracy"] is None else f"{row['accuracy']:.2%}",
}
"""Headings, each with what makes its cell of a row of `Benchmark.as_dict`."""

TUNING_COLUMNS: Columns = {
    "step": lambda row: str(row["step"]),
    "variant": lambda row: str(row["variant"]),
    "provider": provider_of,
    "threads": lambda row: str(row["threads"]),
    "calls": lambda row: str(row["options"].get("calls_at_once", "-")),
    "images a call": lambda row: str(row["options"].get("images_at_once", "-")),
    "optimization": lambda row: str(row["options"]["optimization"]),
    "spinning": lambda row: _yes(row["options"]["spinning"]) if row["threads"] > 1 else "-",
    "arena": lambda row: _yes(row["options"]["arena"]),
    "pattern": lambda row: _yes(row["options"]["memory_pattern"]),
    "p50 ms": lambda row: f"{row['p50_latency_ms']:.3f}",
    "ratio (95 % interval)": lambda row: "{median:.2f} ({low:.2f} - {high:.2f})".format_map(row["ratio"]),
    "best": lambda row: "*" if row["chosen"] else "",
}
"""Headings, each with what makes its cell of a row of the trials of `Tuning.as_dict`."""


def profile_columns(variants: Sequence[str]) -> Columns:
    """Return headings, each with what makes its cell of a row of the layers of `Profile.as_dict`."""
    from edgeconv.variants import REFERENCE, best_first

    best = best_first(gpu=False)[0]
    columns: Columns = {"layer": lambda row: str(row["layer"])}
    for variant in variants:
        columns[f"{variant} us"] = lambda row, variant=variant: _time(row, variant)  # type: ignore[misc]
    if {REFERENCE, best} <= set(variants):
        columns[f"{best} / {REFERENCE}"] = lambda row: _ratio(row[f"{best}_us"], row[f"{REFERENCE}_us"])
    for variant in variants:
        columns[f"{variant} operators"] = lambda row, variant=variant: _operators(row, variant)  # type: ignore[misc]
    return columns


def _time(row: Row, variant: str) -> str:
    return "-" if row[f"{variant}_us"] is None else f"{row[f'{variant}_us']:.1f}"


def _ratio(time: float | None, other: float | None) -> str:
    return f"{time / other:.2f}" if time and other else "-"


def _operators(row: Row, variant: str) -> str:
    return " ".join(row[f"{variant}_operators"])


def _yes(value: bool) -> str:
    return "yes" if value else "no"
