"""Latency against accuracy as a picture, with the size of the file as the area: SVG, which browsers draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import cycle
from math import ceil, floor, log10, sqrt

from edgeconv.benchmarking.results import Benchmark, BenchmarkRow
from edgeconv.formatting import format_size
from edgeconv.runtime.providers import CPU, short_name
from edgeconv.variants import VARIANTS

WIDTH, HEIGHT = 1000, 460
LEFT, RIGHT, TOP, BOTTOM = 90, 310, 100, 64
"""Units of the picture, and of the margins around the axes; the legend is in the right one."""

LARGEST_RADIUS = 34
LEAST_SPAN = 0.002
"""Share of right answers that the axis covers at least: 0.2 percentage points, so that noise is not blown up."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours that colour-blind readers can distinguish (M. Okabe and K. Ito, Color Universal Design, 2008)."""

_INK, _QUIET, _LINE = "#1c2126", "#58626b", "#dde1e4"


def plot(benchmark: Benchmark) -> str | None:
    """Draw each variant on each provider at the smallest batch, with the threads that are fastest there.

    Returns:
        An SVG, or None where no accuracy is known.
    """
    rows = plotted_rows(benchmark.rows)
    if not rows:
        return None
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' font-family="system-ui, sans-serif" font-size="14">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 32, benchmark.name, size=20),
        _text(LEFT, 54, benchmark.machine.sentence(), _QUIET, size=13),
        *_Drawing(rows).lines(),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def plotted_rows(rows: Sequence[BenchmarkRow]) -> list[BenchmarkRow]:
    """Return the fastest row of each variant and provider at its smallest batch, of those whose accuracy is known."""
    best: dict[tuple[str, str], BenchmarkRow] = {}
    for row in sorted(rows, key=lambda row: (row.batch, row.p50_latency_ms)):
        if row.accuracy is not None:
            best.setdefault((row.variant, row.provider), row)
    order = list(dict.fromkeys((row.variant, row.provider) for row in rows))
    return [best[key] for key in order if key in best]


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return round numbers from `low` to `high`: steps of 1, 2 or 5 times a power of ten, no more than `most`.

    Example:
        >>> ticks(0.0, 0.3)
        [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    """
    power = 10.0 ** floor(log10((high - low) / most))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if (high - low) / (factor * power) <= most - 1)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


class _Drawing:
    def __init__(self, rows: Sequence[BenchmarkRow]) -> None:
        self._rows = rows
        accuracies = [row.accuracy or 0.0 for row in rows]
        middle = (min(accuracies) + max(accuracies)) / 2
        span = max(LEAST_SPAN, 1.6 * (max(accuracies) - min(accuracies)))
        self._low, self._high = middle - span / 2, middle + span / 2
        self._slowest = 1.15 * max(row.p50_high_ms for row in rows)
        self._largest = max(row.size_bytes for row in rows)

    def lines(self) -> Iterator[str]:
        yield from self._axes()
        colored = list(zip(self._rows, cycle(COLORS), strict=False))
        for row, color in sorted(colored, key=lambda pair: -pair[0].size_bytes):  # Small discs lie on large ones.
            yield from self._point(row, color)
        for number, (row, color) in enumerate(colored):
            x, y = WIDTH - RIGHT + 36, TOP + 44 * number
            yield f'<circle cx="{x - 14}" cy="{y - 5}" r="6" fill="{color}"/>'
            yield _text(x, y, _name(row))
            yield _text(x, y + 18, _figures(row), _QUIET)

    def _axes(self) -> Iterator[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for value in ticks(0.0, self._slowest):
            yield _line(self._x(value), TOP, self._x(value), bottom, _LINE)
            yield _text(self._x(value), bottom + 20, f"{value:g}", _QUIET, anchor="middle")
        for value in ticks(100 * self._low, 100 * self._high):
            y = self._y(value / 100)
            yield _line(LEFT, y, right, y, _LINE)
            yield _text(LEFT - 10, y + 5, f"{value:g} %", _QUIET, anchor="end")
        yield _line(LEFT, bottom, right, bottom, _QUIET)
        batch = self._rows[0].batch
        unit = "one image" if batch == 1 else f"a batch of {batch}"
        words = f"median time of {unit}, ms (bars: its 95 % interval)"
        yield _text((LEFT + right) / 2, bottom + 46, words, anchor="middle")
        yield _text(LEFT, TOP - 14, "accuracy (area of a disc: bytes of the file)")

    def _point(self, row: BenchmarkRow, color: str) -> Iterator[str]:
        x, y = self._x(row.p50_latency_ms), self._y(row.accuracy or 0.0)
        radius = LARGEST_RADIUS * sqrt(row.size_bytes / self._largest)
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"'
        yield f'{shape} fill="{color}" fill-opacity="0.25" stroke="{color}" stroke-width="2"/>'
        yield _line(self._x(row.p50_low_ms), y, self._x(row.p50_high_ms), y, color, 3)

    def _x(self, latency_ms: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * latency_ms / self._slowest

    def _y(self, accuracy: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self._high - accuracy) / (self._high - self._low)


def _name(row: BenchmarkRow) -> str:
    where = "" if row.provider == CPU else f" on {short_name(row.provider)}"
    variant = VARIANTS[row.variant].title if row.variant in VARIANTS else row.variant
    return f"{variant}{where}, {row.threads} thread{'s' if row.threads > 1 else ''}"


def _figures(row: BenchmarkRow) -> str:
    picture = "" if row.picture is None else f" for a {row.picture} picture"
    return f"{row.p50_latency_ms:.3g} ms{picture}, {format_size(row.size_bytes)}"


def _line(x1: float, y1: float, x2: float, y2: float, color: str, width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{color}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, color: str = _INK, *, size: int = 14, anchor: str = "start") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{color}">{escape(text)}</text>'
