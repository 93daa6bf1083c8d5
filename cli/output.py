"""Results on stdout, a table for people, JSON lines or CSV for programs, and words on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any

import click

Row = Mapping[str, Any]

_STEERING = {"Cc", "Cf", "Zl", "Zp"}
"""Categories of Unicode: controls, formats such as an order from right to left, ends of lines and of paragraphs."""

_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Of these categories what words and emoji are written with."""

WIDTH_SAMPLE = 200
"""Rows that are read ahead to find the widths of a table's columns."""


def format_option_with(*others: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option `--format`, with these choices beside the common ones."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "json", "csv", *others]),
        help="Default: table on a terminal, json in a pipe.",
    )


format_option = format_option_with()


def chosen_format(output_format: str | None) -> str:
    """Return the format asked for, else a table for a terminal, and JSON for a pipe."""
    return output_format or ("table" if sys.stdout.isatty() else "json")


def write_json_line(value: Row) -> None:
    """Write one object on one line; a path that is no Unicode is told a second time, by its bytes in hexadecimal."""
    text = _encoder().encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        named = {"path_bytes": os.fsencode(value["path"]).hex()} if isinstance(value.get("path"), str) else {}
        text = (
            json.dumps({**value, **named}, ensure_ascii=False).encode(errors="surrogateescape").decode(errors="replace")
        )
    if sys.stdout is not None:
        # No ANSI codes are left in it: what `click.echo` looks for takes as long as the writing.
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()


@cache
def _encoder() -> json.JSONEncoder:
    """Return what `json.dumps` makes anew for each row."""
    return json.JSONEncoder(ensure_ascii=False)


def write_csv(rows: Iterable[Row], columns: Sequence[str]) -> None:
    """Write rows as CSV, as they come, each on one line; nested values are JSON inside their cell."""
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for row in chain([dict(zip(columns, columns, strict=True))], rows):
        writer.writerow([_cell(row.get(column)) for column in columns])
        click.echo(buffer.getvalue(), nl=False)
        buffer.seek(0)
        buffer.truncate()


def write_table(rows: Iterable[Sequence[str]], header: Sequence[str]) -> None:
    """Write rows in columns, as they come; numbers lie at the right."""
    header = list(map(printable, header))
    coming = (list(map(printable, cells)) for cells in rows)
    first = list(islice(coming, WIDTH_SAMPLE))
    widths = [max(len(cells[place]) for cells in [header, *first]) for place in range(len(header))]
    right = [bool(first) and all(_is_number(cells[place]) for cells in first) for place in range(len(header))]
    for cells in chain([header], first, coming):
        padded = [
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(cells, widths, right, strict=True)
        ]
        click.echo("  ".join(padded).rstrip())


def emit(
    result: Row, rows: Iterable[Row], columns: Mapping[str, Callable[[Row], str]], output_format: str | None
) -> None:
    """Write a result: whole as JSON, or its rows as a table or CSV.

    Args:
        result: what JSON shows.
        rows: what a table and CSV show.
        columns: a table's headings, each with what makes a cell of a row.
        output_format: as `--format` gave it.
    """
    chosen = chosen_format(output_format)
    if chosen == "json":
        write_json_line(result)
    elif chosen == "csv":
        listed = list(rows)
        write_csv(listed, list(listed[0]) if listed else [])
    else:
        write_table(([cell(row) for cell in columns.values()] for row in rows), list(columns))


def say(text: str) -> None:
    """Write words on stderr, on one line."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    r"""Return text on one line, with what steers a terminal or the order of letters as JSON escapes it.

    Labels, names of files and of producers come from strangers.

    Example:
        >>> printable("a \x1b[2J label")
        'a \\u001b[2J label'
    """
    if text.isprintable():
        return text
    from unicodedata import category

    def shown(sign: str) -> str:
        if category(sign) not in _STEERING or sign in _JOINERS:
            return sign
        code = sign.encode("utf-16-be").hex()
        return "".join(f"\\u{code[start : start + 4]}" for start in range(0, len(code), 4))

    return "".join(map(shown, text))


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict | tuple):
        value = json.dumps(value, ensure_ascii=False)
    return printable(value) if isinstance(value, str) else value


def _is_number(text: str) -> bool:
    return text[:1].isdigit() or text in {"", "-"} or text[:1] == "-"


def provider_of(row: Row) -> str:
    """Return the provider of a row by the name that `--device` takes."""
    from edgeconv.runtime.providers import short_name

    return short_name(row["provider"])
