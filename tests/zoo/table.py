"""The table of docs/model-zoo.md, generated from the results file."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.pages import DETAILS, END_OF_DETAILS, line

TITLES = {"ours": "edgeconv", "tf2onnx": "tf2onnx", "keras": "`model.export`"}
"""The three ways, as the results file and as the table call them."""
MIB = 1 << 20
COLUMNS = ("model", "nodes", "transposes", "seconds", "peak MiB", "max error / spread", "int8", *TITLES.values())


def render(results: dict[str, Any]) -> str:
    """Return the counts, and the collapsed table in Markdown: a row a model, in the order of their names."""
    rows = [_row(name, found) for name, found in sorted(results["models"].items())]
    header = (line(COLUMNS), line(["---"] * len(COLUMNS)))
    counts = [f"{count}  " for count in summary(results)]
    table = [DETAILS.format(summary=f"The {len(rows)} models"), "", *header, *rows, "", END_OF_DETAILS]
    return "\n".join([*counts, "", *table, "", _versions(results)])


def summary(results: dict[str, Any]) -> list[str]:
    """Return a line a way: how many models ended how."""
    lines = []
    for way in TITLES:
        counts = Counter(found[way]["outcome"] for found in results["models"].values() if way in found)
        if counts:
            lines.append(
                f"{TITLES[way]}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
            )
    return lines


def _row(name: str, found: dict[str, Any]) -> str:
    own = found.get("ours", {})
    cells = [
        name,
        _cell(own, "nodes"),
        _cell(own, "transposes"),
        f"{own['seconds']:.0f}" if own else "-",
        f"{own['peak_bytes'] / MIB:.0f}" if own else "-",
        f"{own['error']:.0e}" if own.get("error") is not None else "-",
        _int8(found.get("int8")),
        *(_outcome(found.get(way)) for way in TITLES),
    ]
    return line(cells)


def _cell(found: dict[str, Any], key: str) -> str:
    return str(found.get(key, "-"))


def _int8(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    return f"{found['size_bytes'] / MIB:.0f} MiB, {found['sqnr_db']:.0f} dB" if found["outcome"] == "yes" else "no"


def _outcome(found: dict[str, Any] | None) -> str:
    if found is None:
        return "-"
    return found["outcome"] if found["outcome"] == "ok" else f"**{found['outcome']}**"


def _versions(results: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(results["packages"].items()))
    return f"Measured with Python {results['python']}, {packages}; one thread per export."
