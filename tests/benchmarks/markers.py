"""Tables of the README, each between two markers of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def line(cells: Iterable[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def write_between(readme: Path, name: str, text: str) -> None:
    """Put a text between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->`` of a Markdown file.

    Raises:
        ValueError: the file has not each marker once, in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    old = readme.read_text(encoding="utf-8")
    if old.count(begin) != 1 or old.count(end) != 1 or old.index(begin) > old.index(end):
        raise ValueError(f"`{readme}` must have `{begin}` and, below it, `{end}`, once each.")
    head, tail = old.split(begin)[0], old.split(end)[1]
    readme.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
