from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from edgeconv.benchmarking.plotting import COLORS, LARGEST_RADIUS, LEFT, RIGHT, WIDTH, plot, plotted_rows, ticks
from tests.benchmarking.made import made, row

SVG = "{http://www.w3.org/2000/svg}"


def _drawn(svg: str | None) -> ElementTree.Element:
    assert svg is not None
    return ElementTree.fromstring(svg)


def _discs(svg: str | None) -> dict[str, tuple[float, float, float]]:
    """Return x, y and radius of the discs by their colour."""
    found = [circle for circle in _drawn(svg).iter(f"{SVG}circle") if "stroke" in circle.attrib]
    return {disc.attrib["stroke"]: tuple(float(disc.attrib[key]) for key in ("cx", "cy", "r")) for disc in found}


def _texts(svg: str | None) -> list[str]:
    return [text.text or "" for text in _drawn(svg).iter(f"{SVG}text")]


def test_the_fastest_threads_at_the_smallest_batch_are_drawn() -> None:
    slow, fast = row("fp32", 0.4), row("fp32", 0.3, threads=2)
    other = row("int8", 0.1)
    rows = [slow, fast, row("fp32", 0.01, batch=2), other, row("fp16", accuracy=None)]
    assert plotted_rows(rows) == [fast, other]


def test_a_plot_has_latency_to_the_right_accuracy_upwards_and_size_as_area() -> None:
    svg = plot(made(row("fp32", 0.4, accuracy=0.99, size_bytes=400_000), row("int8", 0.1, accuracy=0.97)))
    large, small = (_discs(svg)[color] for color in COLORS[:2])
    # The axis begins at 0 and ends 15 % beyond the interval of the slowest.
    assert large[0] == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) * 0.4 / (1.15 * 0.42), abs=0.1)
    assert small[0] < large[0]
    assert small[1] > large[1]  # y counts downwards
    assert large[2] == LARGEST_RADIUS
    assert large[2] / small[2] == pytest.approx(math.sqrt(4.0), rel=0.01)


def test_small_discs_lie_on_large_ones() -> None:
    svg = plot(made(row("int8"), row("fp32", size_bytes=400_000)))
    assert list(_discs(svg)) == [COLORS[1], COLORS[0]]


def test_the_legend_names_each_variant_with_its_figures() -> None:
    rows = [
        row("fp32", 0.4, size_bytes=400_000),
        row("int8", 0.1, provider="CUDAExecutionProvider"),
        row("e2e", 0.2, picture="640x480"),
    ]
    texts = _texts(plot(made(*rows)))
    assert {"fp32, 1 thread", "int8 on cuda, 1 thread", "e2e with its preparation, 1 thread"} <= set(texts)
    assert {"0.4 ms, 400 kB", "0.2 ms for a 640x480 picture, 100 kB"} <= set(texts)


def test_a_name_is_text_and_no_markup() -> None:
    benchmark = replace(made(row("fp32")), name="<script>&")
    assert "<script>&" in _texts(plot(benchmark))


def test_equal_benchmarks_give_equal_plots() -> None:
    assert plot(made(row("fp32"))) == plot(made(row("fp32")))
    assert plot(made(row("fp32"))) != plot(made(row("fp32", 0.2)))


def test_more_variants_than_colours_are_drawn() -> None:
    texts = _texts(plot(made(*(row(f"variant{number}") for number in range(8)))))
    assert [text for text in texts if text.startswith("variant")] == [f"variant{n}, 1 thread" for n in range(8)]


def test_without_accuracy_there_is_no_plot() -> None:
    assert plot(made(row("fp32", accuracy=None))) is None


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.35), (0.0, 1234.0), (99.34, 99.54), (0.0, 0.00021), (-0.1, 100.1)])
def test_ticks_are_round_and_few(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 3 <= len(found) <= 7
    assert low - 1e-9 <= found[0] <= found[-1] <= high + 1e-9
    step = found[1] - found[0]
    assert float(f"{step:.0e}") == pytest.approx(step)
