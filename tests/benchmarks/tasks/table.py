"""The table of docs/int8.md: a row a network, what each file scores, weighs and takes, and which targets it misses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.benchmarks.tasks.networks import NETWORKS
from tests.pages import line

LOST_PERCENT, LARGEST_SHARE, SLOWEST = 0.5, 0.35, 1.0
"""The targets: what int8 loses of the metric, and its bytes and its time as shares of those of fp32."""

HEADER = ("network", "weights", "metric", "Keras", "fp32", "plain int8", "int8", "lost", "kB", "share", "µs", "ratio")


def render(figures: Mapping[str, Any]) -> str:
    """Return the table in Markdown; a figure that misses its target is bold."""
    table = [line(HEADER), line(["---", "--:", "---", *["--:"] * (len(HEADER) - 3)])]
    table += [line(_row(name, found)) for name, found in figures.items()]
    return "\n".join([*table, *_steps(figures)])


def _row(name: str, found: Mapping[str, Any]) -> list[str]:
    scores, sizes, times = found["scores"], found["bytes"], found["times"]
    lost = 100 * (1 - scores["int8"] / scores["fp32"])
    share = sizes["int8"] / sizes["fp32"]
    keras = "-" if scores["keras"] is None else _score(scores["keras"])
    return [
        NETWORKS[name].title,
        f"{found['parameters']:,}",
        found["metric"],
        keras,
        *(_score(scores[stage]) for stage in ("fp32", "plain int8", "int8")),
        _bold(f"{lost + 0.0:.2f} %", lost > LOST_PERCENT),
        f"{sizes['fp32'] / 1000:,.0f} → {sizes['int8'] / 1000:,.0f}",
        _bold(f"{share:.2f}", share > LARGEST_SHARE),
        f"{times['fp32_us']:,.0f} → {times['int8_us']:,.0f}",
        _bold(f"{times['ratio']:.2f}", times["ratio"] > SLOWEST),
    ]


def _steps(figures: Mapping[str, Any]) -> list[str]:
    """Return a line for each network on which every step was tried by itself."""
    rows = []
    for name, found in figures.items():
        tried = {step: value for step, value in found["scores"].items() if step not in STAGES}
        if tried:
            each = ", ".join(f"{step} {_score(value)}" for step, value in tried.items())
            rows.append(f"{NETWORKS[name].title}, each step alone: {each}. Shipped: {found['settings']}.  ")
    return ["", *rows] if rows else []


STAGES = ("keras", "fp32", "plain int8", "int8")


def _score(value: float) -> str:
    return f"{100 * value:.2f}"


def _bold(text: str, missed: bool) -> str:
    return f"**{text}**" if missed else text
