"""Latency against accuracy as a picture, with the size as the area; drawn with Pillow, which every installation has."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt
from typing import Any

from edgeconv.benchmarking.results import Benchmark, Row
from edgeconv.runtime.providers import CPU, short_name
from edgeconv.variants import VARIANTS

WIDTH, HEIGHT = 1200, 680
LEFT, RIGHT, TOP, BOTTOM = 110, 60, 136, 90
"""Pixels of the picture, and of the margins around the axes."""

LARGEST_RADIUS = 46
LEAST_SPAN = 0.002
"""Share of right answers that the axis covers at least: 0.2 percentage points, so that noise is not blown up."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by people who see colours otherwise (M. Okabe and K. Ito, Color Universal Design, 2008)."""

_INK, _QUIET, _LINE = "#1c2126", "#58626b", "#dde1e4"
_SCALE = 2  # Drawn twice as large and made smaller, so that edges are smooth.


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def plot(benchmark: Benchmark) -> bytes | None:
    """Draw each variant on each provider at the smallest batch, with the threads that are fastest there.

    Returns:
        A PNG, or None where no accuracy is known.
    """
    rows = plotted_rows(benchmark.rows)
    if not rows:
        return None
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_SCALE * WIDTH, _SCALE * HEIGHT), "#ffffff")
    _Drawing(ImageDraw.Draw(picture), rows, benchmark).draw()
    stream = io.BytesIO()
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(stream, "PNG")
    return stream.getvalue()


def plotted_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the fastest row of each variant and provider at its smallest batch, of those whose accuracy is known."""
    best: dict[tuple[str, str], Row] = {}
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
    def __init__(self, canvas: Any, rows: Sequence[Row], benchmark: Benchmark) -> None:
        self._canvas, self._rows, self._benchmark = canvas, rows, benchmark
        accuracies = [row.accuracy or 0.0 for row in rows]
        middle = (min(accuracies) + max(accuracies)) / 2
        span = max(LEAST_SPAN, 1.6 * (max(accuracies) - min(accuracies)))
        self._low, self._high = middle - span / 2, middle + span / 2
        self._slowest = 1.15 * max(row.p50_high_ms for row in rows)
        self._largest = max(row.size_bytes for row in rows)

    def draw(self) -> None:
        self._text(LEFT, 26, self._benchmark.name, 26)
        self._text(LEFT, 64, self._benchmark.machine.sentence(), 15, _QUIET)
        self._axes()
        taken = [self._box_of(row) for row in self._rows]
        for row, color in zip(self._rows, _colors(), strict=False):
            self._point(row, color)
        for row, color in zip(self._rows, _colors(), strict=False):
            taken.append(self._label(row, color, taken))

    def _axes(self) -> None:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for value in ticks(0.0, self._slowest):
            x = self._x(value)
            self._line(x, TOP, x, bottom, _LINE)
            self._text(x, bottom + 10, f"{value:g}", 15, _QUIET, "ma")
        for value in ticks(100 * self._low, 100 * self._high):
            y = self._y(value / 100)
            self._line(LEFT, y, right, y, _LINE)
            self._text(LEFT - 12, y, f"{value:g} %", 15, _QUIET, "rm")
        self._line(LEFT, bottom, right, bottom, _QUIET)
        batch = self._rows[0].batch
        unit = "one image" if batch == 1 else f"a batch of {batch}"
        self._text(
            (LEFT + right) / 2, bottom + 44, f"median time of {unit}, ms (bars: its 95 % interval)", 16, _INK, "ma"
        )
        self._text(LEFT, TOP - 14, "accuracy (area of a disc: bytes of the file)", 16, _INK, "ls")

    def _point(self, row: Row, color: str) -> None:
        x, y, radius = self._x(row.p50_latency_ms), self._y(row.accuracy or 0.0), self._radius(row)
        box = [_SCALE * value for value in (x - radius, y - radius, x + radius, y + radius)]
        self._canvas.ellipse(box, fill=_tint(color), outline=color, width=2 * _SCALE)
        low, high = self._x(row.p50_low_ms), self._x(row.p50_high_ms)
        self._line(low, y, high, y, color, 2)
        for end in (low, high):
            self._line(end, y - 6, end, y + 6, color, 2)

    def _label(self, row: Row, color: str, taken: Sequence[_Box]) -> _Box:
        """Write a label where nothing is yet: above, below, farther above, farther below its point."""
        lines = (_name(row), f"{row.p50_latency_ms:.3g} ms, {row.size_bytes / 1000:,.0f} kB")
        width = max(self._canvas.textlength(line, font=_font(16)) / _SCALE for line in lines)
        x = min(max(self._x(row.p50_latency_ms) - width / 2, LEFT), WIDTH - RIGHT - width)
        y, reach = self._y(row.accuracy or 0.0), self._radius(row) + 8
        places = [y + sign * (reach + far) - (44 if sign < 0 else 0) for far in range(0, 200, 24) for sign in (-1, 1)]
        boxes = [_Box(x, top, x + width, top + 44) for top in places if TOP <= top <= HEIGHT - BOTTOM - 44]
        free = (box for box in boxes if not any(box.meets(other) for other in taken))
        box = next(free, boxes[0] if boxes else _Box(x, TOP, x + width, TOP + 44))
        for number, line in enumerate(lines):
            self._text(box.left, box.top + 22 * number, line, 16, color if number == 0 else _QUIET)
        return box

    def _box_of(self, row: Row) -> _Box:
        x, y, radius = self._x(row.p50_latency_ms), self._y(row.accuracy or 0.0), self._radius(row)
        return _Box(x - radius, y - radius, x + radius, y + radius)

    def _radius(self, row: Row) -> float:
        return LARGEST_RADIUS * sqrt(row.size_bytes / self._largest)

    def _x(self, latency_ms: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * latency_ms / self._slowest

    def _y(self, accuracy: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self._high - accuracy) / (self._high - self._low)

    def _line(self, x0: float, y0: float, x1: float, y1: float, color: str, width: int = 1) -> None:
        self._canvas.line([_SCALE * value for value in (x0, y0, x1, y1)], fill=color, width=width * _SCALE)

    def _text(self, x: float, y: float, text: str, size: int, color: str = _INK, anchor: str = "la") -> None:
        self._canvas.text((_SCALE * x, _SCALE * y), text, fill=color, font=_font(size), anchor=anchor)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size * _SCALE)


def _name(row: Row) -> str:
    where = "" if row.provider == CPU else f" on {short_name(row.provider)}"
    variant = VARIANTS[row.variant].title if row.variant in VARIANTS else row.variant
    picture = "" if row.picture is None else f" of a {row.picture} picture"
    return f"{variant}{picture}{where}, {row.threads} thread{'s' if row.threads > 1 else ''}"


def _colors() -> Iterator[str]:
    while True:
        yield from COLORS


def _tint(color: str) -> str:
    """Return a colour mixed with white, so that discs that overlap are seen."""
    parts: Callable[[int], int] = lambda place: int(color[place : place + 2], 16)  # noqa: E731
    return "#" + "".join(f"{round(0.25 * parts(place) + 0.75 * 255):02x}" for place in (1, 3, 5))
