"""Names of classes as a user gives them: in a list, or in a text file of whatever editor or trainer wrote it."""

from __future__ import annotations

import codecs
import os
import re
from pathlib import Path

from edgeconv.artifact import read_regular
from edgeconv.errors import ConfigError, one_line

MOST_BYTES = 2_000_000
"""Longest file of labels: the names of ImageNet's 21,000 classes take a third of it."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How files begin that are saved as "Unicode" on Windows."""

_NUMBERED = re.compile(r"(\d{1,9})[\s:;,]+(\S.*)")
"""A class behind its number, as Teachable Machine and Coral write it: ``0 Class 1``."""


def read_labels(given: str) -> tuple[str, ...]:
    """Read names of classes from a list such as ``"ant,bee"``, or from the text file of that name, one a line.

    The file may be UTF-8 or UTF-16 with its byte order mark, or Latin-1. Where every line begins with a number, from 0
    and each once, these are the positions and no part of the names.

    Returns:
        The names, in the order of the model's outputs.

    Raises:
        ConfigError: it looks like a file and there is none, or that holds no text.

    Example:
        >>> read_labels("ant, bee")
        ('ant', 'bee')
    """
    path = Path(given)
    if os.path.isfile(path):  # noqa: PTH113 - many names make too long a path, which is no error here
        lines = _names(_text(path).splitlines())
        return _in_order(lines) if len(lines) > 1 else _names(",".join(lines).split(","))
    if "," not in given and (path.suffix or path.name != given):
        raise ConfigError(
            f"`labels` must be names with commas between them, or a text file. Received: {given!r}, and no such file. "
            "Check the path."
        )
    return _names(given.split(","))


def _text(path: Path) -> str:
    try:
        content = read_regular(path, MOST_BYTES)
        if content.startswith(_UTF16):
            return content.decode("utf-16")
        if b"\0" in content:
            raise ValueError("bytes that are no text")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            # What editors on Windows call ANSI; it has the letters of Latin-1, and its quotation marks too.
            return content.decode("cp1252", errors="replace")
    except (OSError, ValueError) as error:
        reason = one_line(getattr(error, "strerror", None) or error)
        raise ConfigError(
            f"`labels` requires a text file with one name a line. Received: `{path}`, {reason}. Save it as UTF-8."
        ) from error


def _names(texts: list[str]) -> tuple[str, ...]:
    return tuple(text.strip() for text in texts if text.strip())


def _in_order(lines: tuple[str, ...]) -> tuple[str, ...]:
    found = [_NUMBERED.fullmatch(line) for line in lines]
    named = {int(match[1]): match[2] for match in found if match}
    return tuple(named[number] for number in range(len(lines))) if set(named) == set(range(len(lines))) else lines
