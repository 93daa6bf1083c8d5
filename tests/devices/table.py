"""The table of docs/benchmarks.md from the figures: a row a file, a column a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeconv.evaluation.emulation.devices import DEVICES
from tests.pages import line

STAGES = ("keras", "int8", *(f"int8 on {name}" for name in DEVICES))
"""What a row shows, of the stages that were run."""


def render(figures: Mapping[str, Any]) -> str:
    """Return the table in Markdown."""
    titles = ("Keras", "int8, this machine", *(f"`{name}`: {device.title}" for name, device in DEVICES.items()))
    table = [line(["int8 for", *titles]), line(["---", *["--:"] * len(titles)])]
    for found in figures["artifacts"]:
        rows = {row["stage"]: row for row in found["rows"]}
        table.append(line([_name(found), *(_cell(rows.get(stage)) for stage in STAGES)]))
    versions = figures["versions"]
    images = figures["artifacts"][0]["rows"][0]["images"]
    table += ["", f"{images:,} test images each; onnxruntime {versions['onnxruntime']}, Python {versions['python']}."]
    return "\n".join(table)


def _name(found: Mapping[str, Any]) -> str:
    record = found["int8"]["int8"]
    return f"`{record['target'] or 'x86'}`, {found['dataset']}"


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "-"
    accuracy = f"{100 * row['accuracy']:.2f} %"
    if row["sqnr_db"] is None:
        return accuracy
    flips = f"{row['flips']} flip{'s' if row['flips'] != 1 else ''}"
    return f"{accuracy}, {flips}, {row['sqnr_db']:.1f} dB"
