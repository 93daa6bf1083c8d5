"""The tables of docs/benchmarks.md, and what is held, from the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median, quantiles
from typing import Any

from tests.benchmarks.inference.contenders import LIMIT, LITERT_FP32, LITERT_INT8, OWN, STATIC, TF2ONNX
from tests.benchmarks.inference.products import MULTIPLY_ADDS
from tests.pages import DETAILS, END_OF_DETAILS, line

HELD = (
    ("int8", STATIC, 0.5),
    ("int8", LITERT_INT8, 1.0),
    ("fp32", LITERT_FP32, 1.0),
    ("fp32", TF2ONNX, 1.0),
)
"""Of the book's convnet: a precision of edgeconv's, a peer, and the share of its time that is the aim. The fastest
variant of the precision counts."""

HELD_NETWORK = "mnist"
BASE = "fp32"
LEAST_CORRELATION = 0.9
"""Answers that follow Keras' less than that are wrong."""

BATCHES = ("1", "16", "256")
MEBI = 1 << 20
TIMES = ("", "µs", "quartiles", "ratio to fp32", "accuracy", "share of peak")
COSTS = ("", *(f"images/s, batch {batch}" for batch in BATCHES), "load, ms", "memory, MiB", "file, KB")

Row = Mapping[str, Any]


def render(results: Mapping[str, Any]) -> str:
    """Return the tables, the verdicts, and what they were measured with."""
    parts = [_network(found) for found in results["networks"].values()]
    packages = ", ".join(f"{name} {number}" for name, number in results["packages"].items())
    said = [*verdicts(results), f"{packages}."]
    return "\n\n".join([*parts, "  \n".join(said)])


def verdicts(results: Mapping[str, Any]) -> list[str]:
    """Return a line a ratio that is held: the book's convnet, batch 1, one thread."""
    if HELD_NETWORK not in results["networks"]:
        return []
    rows = [row for row in results["networks"][HELD_NETWORK]["rows"] if "rounds_us" in row]
    lines = []
    for precision, peer, most in HELD:
        timed = [row for row in rows if _is_variant(row, precision)]
        other = next((row for row in rows if row["name"] == peer), None)
        if not timed or other is None:
            lines.append(f"{precision} and {peer}: **not measured**.")
            continue
        own = min(timed, key=latency_us)
        found = ratio(own, other)
        said = "met" if found <= most else "**not met**"
        lines.append(f"{own['name']} takes {found:.2f} of the time of {peer} (limit {most}): {said}.")
    return lines


def latency_us(row: Row) -> float:
    """Return the median of the rounds."""
    return float(median(row["rounds_us"]))


def ratio(row: Row, other: Row) -> float:
    """Return the median, over the rounds, of one's time beside another's in the same round."""
    return float(median(own / peer for own, peer in zip(row["rounds_us"], other["rounds_us"], strict=False)))


def limits_of(rows: list[Row]) -> dict[str, float]:
    """Return the multiply-adds a second of one core by precision: the best call of the fastest kind."""
    best: dict[str, float] = {}
    for row in rows:
        if row["side"] == LIMIT and "rounds_us" in row:
            found = MULTIPLY_ADDS / row["best_us"] * 1e6
            best[row["precision"]] = max(best.get(row["precision"], 0.0), found)
    return best


def _network(found: Mapping[str, Any]) -> str:
    rows = found["rows"]
    base = next(row for row in rows if row["name"] == BASE and row["side"] == OWN)
    limits = limits_of(rows)
    running = sorted((row for row in rows if row["side"] != LIMIT and "rounds_us" in row), key=latency_us)
    times = _table(TIMES, [_times(row, base, found["multiply_adds"], limits) for row in running])
    costs = _table(COSTS, [_costs(row) for row in running])
    collapsed = [DETAILS.format(summary="Throughput, load time, memory, size"), "", *costs, "", END_OF_DETAILS]
    failed = [f"{row['name']}: {row['failed']}" for row in rows if "failed" in row]
    heading = (
        f"### {found['title'][0].upper()}{found['title'][1:]}\n\n"
        f"{found['multiply_adds'] / 1e6:,.1f} M multiply-adds per image. "
        f"Peak multiply-adds per second of one core: {'; '.join(_limits(rows))}.\n\n{found['machine']}."
    )
    return "\n".join([heading, "", *times, *failed, "", *collapsed])


def _table(titles: Sequence[str], cells: Iterable[Iterable[str]]) -> list[str]:
    return [line(titles), line(["---", *["--:"] * (len(titles) - 1)]), *map(line, cells)]


def _times(row: Row, base: Row, multiply_adds: int, limits: Mapping[str, float]) -> Iterator[str]:
    yield _named(row)
    yield _number(latency_us(row))
    low, _, high = quantiles(row["rounds_us"], n=4)
    yield f"{_number(low)}-{_number(high)}"
    yield f"{ratio(row, base):.2f}"
    yield _truth(row)
    yield f"{100 * multiply_adds / latency_us(row) * 1e6 / limits[row['precision']]:.0f} %"


def _costs(row: Row) -> Iterator[str]:
    yield _named(row)
    throughput = row.get("images_per_s", {})
    for batch in BATCHES:
        yield _number(median(throughput[batch])) if batch in throughput else "-"
    yield f"{row['load_ms']:.0f}"
    yield f"{row['memory_bytes'] / MEBI:.1f}"
    yield f"{row['size_bytes'] / 1e3:,.0f}" if "size_bytes" in row else "-"


def _named(row: Row) -> str:
    return f"**{row['name']}**" if row["side"] == OWN else str(row["name"])


def _truth(row: Row) -> str:
    right = f"{100 * row['accuracy']:.1f} %" if "accuracy" in row else f"r {row['correlation']:.3f}"
    return right if row["correlation"] >= LEAST_CORRELATION else f"**wrong**: {right}"


def _limits(rows: list[Row]) -> Iterator[str]:
    """Say what a core can do, and how quiet it was: a product's median beside its best call."""
    for row in rows:
        if row["side"] == LIMIT and "rounds_us" in row:
            rate = MULTIPLY_ADDS / row["best_us"] / 1e3
            busy = row["best_us"] / latency_us(row)
            overflows = "" if row.get("exact") else ", whose sums overflow here,"
            yield f"{row['name']}{overflows} {rate:.0f} G (median call: {busy:.0%})"


def _is_variant(row: Row, precision: str) -> bool:
    """Return whether a row is a file of edgeconv's, run as the peers are."""
    return bool(row["side"] == OWN and row["precision"] == precision and row["runner"] == "onnxruntime")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
