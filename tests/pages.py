"""Generated tables in the pages of docs/, each between two markers: ``<!-- NAME:begin -->``, ``<!-- NAME:end -->``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
BENCHMARKS, MODEL_ZOO, LAYERS = DOCS / "benchmarks.md", DOCS / "model-zoo.md", DOCS / "layers.md"
LEGACY = DOCS / "legacy.md"
PROVIDERS = DOCS / "guides" / "providers.md"

DETAILS, END_OF_DETAILS = '<details markdown="1"><summary>{summary}</summary>', "</details>"
"""Around a table that is collapsed, with an empty line on each side of the table: GitHub and mkdocs both read it."""


def line(cells: Iterable[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def read_between(page: Path, name: str) -> str:
    """Return the text between the markers of a Markdown file.

    Raises:
        ValueError: the file has not each marker once, in this order.
    """
    return _split(page, name)[1].strip("\n")


def write_between(page: Path, name: str, text: str) -> None:
    """Put a text between the markers of a Markdown file.

    Raises:
        ValueError: the file has not each marker once, in this order.
    """
    head, _, tail = _split(page, name)
    page.write_text(f"{head}\n{text}\n{tail}", encoding="utf-8")


def _split(page: Path, name: str) -> tuple[str, str, str]:
    """Return what stands before the end of the first marker, between them, and from the second one on."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    text = page.read_text(encoding="utf-8")
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"`{page}` must have `{begin}` and, below it, `{end}`, once each.")
    head, _, rest = text.partition(begin)
    middle, _, tail = rest.partition(end)
    return f"{head}{begin}", middle, f"{end}{tail}"
