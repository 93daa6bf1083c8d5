from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from edgeconv.benchmarking.plotting import (
    COLORS,
    HEIGHT,
    LARGEST_RADIUS,
    LEFT,
    RIGHT,
    WIDTH,
    plot,
    plotted_rows,
    ticks,
)
from tests.benchmarking.made import made, row


def _pixels(png: bytes | None) -> np.ndarray:
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def _discs(png: bytes | None, color: str) -> np.ndarray:
    """Return where the inside of the disc of a colour is, as rows of y and x."""
    tint = np.array([round(0.25 * int(color[place : place + 2], 16) + 0.75 * 255) for place in (1, 3, 5)])
    return np.argwhere(np.abs(_pixels(png) - tint).max(axis=2) <= 8)


def test_the_fastest_threads_at_the_smallest_batch_are_drawn() -> None:
    slow, fast = row("fp32", 0.4), row("fp32", 0.3, threads=2)
    other = row("int8", 0.1)
    rows = [slow, fast, row("fp32", 0.01, batch=2), other, row("fp16", accuracy=None)]
    assert plotted_rows(rows) == [fast, other]


def test_a_plot_has_latency_to_the_right_accuracy_upwards_and_size_as_area() -> None:
    png = plot(made(row("fp32", 0.4, accuracy=0.99, size_bytes=400_000), row("int8", 0.1, accuracy=0.97)))
    assert _pixels(png).shape == (HEIGHT, WIDTH, 3)
    large, small = (_discs(png, color) for color in COLORS[:2])
    # The axis begins at 0 and ends 15 % beyond the interval of the slowest.
    assert large[:, 1].mean() == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) * 0.4 / (1.15 * 0.42), abs=3)
    assert small[:, 1].mean() < large[:, 1].mean()
    assert small[:, 0].mean() > large[:, 0].mean()  # y counts downwards
    # Outline and interval cover a part of a disc, more of a small one.
    assert len(large) == pytest.approx(np.pi * LARGEST_RADIUS**2, rel=0.25)
    assert len(large) / len(small) == pytest.approx(4.0, rel=0.3)


def test_equal_benchmarks_give_equal_plots() -> None:
    """Draws three pictures, a tenth of a second each."""
    assert plot(made(row("fp32"))) == plot(made(row("fp32")))
    assert plot(made(row("fp32"))) != plot(made(row("fp32", 0.2)))


def test_many_variants_in_one_place_are_drawn() -> None:
    png = plot(made(*(row(f"variant{number}") for number in range(12))))
    assert _pixels(png).shape == (HEIGHT, WIDTH, 3)


def test_without_accuracy_there_is_no_plot() -> None:
    assert plot(made(row("fp32", accuracy=None))) is None


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.35), (0.0, 1234.0), (99.34, 99.54), (0.0, 0.00021), (-0.1, 100.1)])
def test_ticks_are_round_and_few(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 3 <= len(found) <= 7
    assert low - 1e-9 <= found[0] <= found[-1] <= high + 1e-9
    step = found[1] - found[0]
    assert float(f"{step:.0e}") == pytest.approx(step)
