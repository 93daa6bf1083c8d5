"""Names of classes as literals of a language, laid out as its formatter would."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_RUFF_WIDTH = 88
_PRETTIER_WIDTH = 80


def python_tuple(name: str, labels: Sequence[str]) -> str:
    """Return the assignment of a tuple of strings.

    Example:
        >>> python_tuple("LABELS", ["cat", "dog"])
        'LABELS = ("cat", "dog")'
    """
    quoted = [_json(label) for label in labels]
    line = f"{name} = ({', '.join(quoted)}{',' if len(quoted) == 1 else ''})"
    return line if len(line) <= _RUFF_WIDTH else _lines(f"{name} = (", quoted, ")", indent="    ")


def javascript_array(opening: str, labels: Sequence[str], closing: str) -> str:
    """Return an array of strings between the code before and behind its items.

    Example:
        >>> javascript_array("export const labels = [", ["cat", "dog"], "];")
        'export const labels = ["cat", "dog"];'
    """
    quoted = [_json(label) for label in labels]
    line = f"{opening}{', '.join(quoted)}{closing}"
    return line if len(line) <= _PRETTIER_WIDTH else _lines(opening, quoted, closing, indent="  ")


def typescript_union(opening: str, labels: Sequence[str]) -> str:
    """Return a union of string types, each once.

    Example:
        >>> typescript_union("export type Label =", ["cat", "dog"])
        'export type Label = "cat" | "dog";'
    """
    quoted = [_json(label) for label in dict.fromkeys(labels)]
    line = f"{opening} {' | '.join(quoted)};"
    if len(line) <= _PRETTIER_WIDTH:
        return line
    return opening + "".join(f"\n  | {item}" for item in quoted) + ";"


def c_strings(labels: Sequence[str]) -> str:
    """Return string literals, one a line, for the inside of an array.

    Example:
        >>> c_strings(["cat", "dog"])
        '    "cat",\\n    "dog",'
    """
    return "\n".join(f"    {_c_string(label)}," for label in labels)


def one_line(text: str) -> str:
    """Return a text for a comment, a title or a list with one name a line: no control characters, no line breaks."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).split())


def _lines(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    return "\n".join([opening, *(f"{indent}{item}," for item in items), closing])


def _json(text: str) -> str:
    # JSON allows the two line separators in strings, older JavaScript does not.
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _c_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda control: f"\\{ord(control[0]):03o}", escaped) + '"'
