"""A benchmark kept beside its model: `benchmark.json`, `benchmark.svg`, and a section of `report.html`.

The section lies between two comments, and another benchmark takes its place. The rest of the page is not touched; an
export, which makes other models, writes the page anew, without the section.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path

from edgeconv.artifact import REPORT_FILE, replacing, write_json
from edgeconv.benchmarking.plotting import plot
from edgeconv.benchmarking.results import Benchmark, BenchmarkRow
from edgeconv.errors import ConfigError
from edgeconv.formatting import NARROW, format_size
from edgeconv.runtime.loading import REFERENCE_PLACES
from edgeconv.runtime.providers import short_name
from edgeconv.transaction import transaction

BENCHMARK_FILE = "benchmark.json"
PLOT_FILE = "benchmark.svg"

BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"

_PLACES = ('<section aria-labelledby="contract">', "</main>")
"""What the section is put in front of when a page has none yet."""


def record(benchmark: Benchmark) -> tuple[Path, ...]:
    """Write a benchmark into the artifact's folder.

    Returns:
        What was written: nothing for a lone file, and nothing beside the model that the package ships.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder = benchmark.path
    if not folder.is_dir() or is_shipped(folder):
        return ()
    svg, report = plot(benchmark), folder / REPORT_FILE
    with transaction(folder) as scratch:
        write_json(scratch / BENCHMARK_FILE, benchmark.as_dict())
        written = [folder / BENCHMARK_FILE]
        if svg is not None:
            (scratch / PLOT_FILE).write_text(svg, encoding="utf-8")
            written.append(folder / PLOT_FILE)
        page = with_section(report.read_text("utf-8"), section_of(benchmark, svg)) if report.is_file() else None
        if page is not None:
            (scratch / REPORT_FILE).write_text(page, encoding="utf-8")
            written.append(report)
    return tuple(written)


def write_plot(benchmark: Benchmark, path: Path) -> None:
    """Write the plot of a benchmark, an SVG.

    Raises:
        ConfigError: no accuracy is known.
    """
    svg = plot(benchmark)
    if svg is None:
        raise ConfigError(
            "The plot requires accuracies. Received: none, in manifest or golden vectors. Use `--dataset`."
        )
    with replacing(path) as sibling:
        sibling.write_text(svg, encoding="utf-8")


def is_shipped(folder: Path) -> bool:
    """Whether a folder is that of the model that the package ships, which stays as it is."""
    return folder.resolve() in {place.resolve() for place in REFERENCE_PLACES}


def with_section(page: str, section: str) -> str | None:
    """Return a page with the section in the place of the one it has, or else in its own; None where it has no place.

    Example:
        >>> with_section("<main></main>", "new")
        '<main><!-- benchmark: begin -->\\nnew\\n<!-- benchmark: end -->\\n</main>'
    """
    framed = f"{BEGIN}\n{section}\n{END}\n"
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        return before + framed + after.removeprefix("\n")
    place = next((place for place in _PLACES if place in page), None)
    return None if place is None else page.replace(place, framed + place, 1)


def section_of(benchmark: Benchmark, svg: str | None) -> str:
    """Return the section: the plot and the rows of the smallest batch and of the largest."""
    smallest = min(row.batch for row in benchmark.rows)
    largest = max(row.batch for row in benchmark.rows)
    rows = [row for row in benchmark.rows if row.batch in {smallest, largest}]
    heads = ("Variant", "Runs on", "Threads", "Batch", "p50", "p95", "p99", "Images/s", "Load", "Memory")
    figure = ""
    if svg is not None:
        alt = "Latency against accuracy of each variant, the size of its file as the area. " + "; ".join(
            f"{row.subject}: {row.p50_latency_ms:.3g} ms" for row in rows if row.batch == smallest
        )
        uri = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"
        figure = f'<figure class="scroll" tabindex="0"><img src="{uri}" alt="{escape(alt)}."></figure>\n'
    noise = benchmark.noise()
    return (
        '<section aria-labelledby="benchmark">\n<h2 id="benchmark">Speed</h2>\n'
        f"{figure}"
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="benchmark">\n<table class="wide fixed">\n'
        f"<caption>{escape(benchmark.machine.sentence())}. Times of a call, in ms.</caption>\n"
        "<thead><tr>"
        + "".join(f'<th scope="col"{_TEXT if place == 1 else ""}>{head}</th>' for place, head in enumerate(heads))
        + "</tr></thead>\n<tbody>\n"
        + "".join(f"{_line(row)}\n" for row in rows)
        + "</tbody>\n</table>\n</div>\n"
        + (f'<p class="quiet">{escape(noise)}</p>\n' if noise else "")
        + f'<p class="quiet"><small>Accuracy: {escape(benchmark.accuracy_source)}. p50: median. p95, p99: what 95 and '
        "99&#8239;% of the calls stay within. Load and memory are those of a process of its own. All rows are in "
        f"<code>{BENCHMARK_FILE}</code>.</small></p>\n</section>"
    )


_TEXT = ' class="text"'


def _line(row: BenchmarkRow) -> str:
    cells = (
        row.threads,
        row.batch,
        f"{row.p50_latency_ms:.3f}",
        f"{row.p95_latency_ms:.3f}",
        f"{row.p99_latency_ms:.3f}",
        f"{row.images_per_second:,.0f}",
        "\N{EN DASH}" if row.load_ms is None else f"{row.load_ms:.1f}",
        format_size(row.memory_bytes, NARROW),
    )
    return (
        f'<tr><th scope="row">{escape(row.subject)}</th><td{_TEXT}>{short_name(row.provider)}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )
