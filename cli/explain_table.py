"""The table of layers: what each variant loses there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def columns_of(variants: Sequence[str]) -> dict[str, Callable[[Row], str]]:
    """Return headings, each with what makes its cell of a row of `Explanation.as_dict`."""
    columns: dict[str, Callable[[Row], str]] = {
        "layer": lambda row: str(row["layer"]),
        "class": lambda row: str(row["class_name"]),
        "shape": lambda row: "x".join(str(size) for size in row["shape"][1:]),
    }
    for variant in variants:
        columns[f"{variant} SQNR dB"] = lambda row, variant=variant: _ratio(row, variant)  # type: ignore[misc]
        columns[f"{variant} max error"] = lambda row, variant=variant: _error(row, variant)  # type: ignore[misc]
    return columns


def _ratio(row: Row, variant: str) -> str:
    if row[f"{variant}_max_error"] is None:
        return "folded"
    return "exact" if row[f"{variant}_sqnr_db"] is None else f"{row[f'{variant}_sqnr_db']:.1f}"


def _error(row: Row, variant: str) -> str:
    error = row[f"{variant}_max_error"]
    return "-" if error is None else f"{error:.1e}"
