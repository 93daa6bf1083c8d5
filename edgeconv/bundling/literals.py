"""Names of classes as literals of a language, laid out as its formatter would."""

from __future__ import annotations

import html
import json
import re
import textwrap
import unicodedata
from collections.abc import Sequence

_RUFF_WIDTH = 88
_PRETTIER_WIDTH = 80

_UNSEEN = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Characters that end lines, turn the direction of text, or that no file can hold: they are written as escapes."""

_JOINED = re.compile("\u200d.|[\ufe0f\U0001f3fb-\U0001f3ff]")
"""What melts into the emoji before it: another one, its style, the colour of its skin."""


def python_tuple(name: str, labels: Sequence[str]) -> str:
    """Return the assignment of a tuple of strings.

    Example:
        >>> python_tuple("LABELS", ["cat", "dog"])
        'LABELS = ("cat", "dog")'
    """
    quoted = [_quoted(label) for label in labels]
    line = f"{name} = ({', '.join(quoted)}{',' if len(quoted) == 1 else ''})"
    return line if _width(line) <= _RUFF_WIDTH else _lines(f"{name} = (", quoted, ")", indent="    ")


def javascript_array(opening: str, labels: Sequence[str], closing: str) -> str:
    """Return an array of strings between the code before and behind its items.

    Example:
        >>> javascript_array("export const labels = [", ["cat", "dog"], "];")
        'export const labels = ["cat", "dog"];'
    """
    quoted = [_quoted(label) for label in labels]
    line = f"{opening}{', '.join(quoted)}{closing}"
    return line if _width(line) <= _PRETTIER_WIDTH else _lines(opening, quoted, closing, indent="  ")


def typescript_union(opening: str, labels: Sequence[str]) -> str:
    """Return a union of string types, each once.

    Example:
        >>> typescript_union("export type Label =", ["cat", "dog"])
        'export type Label = "cat" | "dog";'
    """
    quoted = [_quoted(label) for label in dict.fromkeys(labels)] or ["never"]
    union = " | ".join(quoted)
    if _width(f"{opening} {union};") <= _PRETTIER_WIDTH:
        return f"{opening} {union};"
    if _width(f"  {union};") <= _PRETTIER_WIDTH or len(quoted) == 1:
        return f"{opening}\n  {union};"
    return opening + "".join(f"\n  | {item}" for item in quoted) + ";"


def c_strings(labels: Sequence[str]) -> str:
    """Return string literals, one a line, for the inside of an array.

    Example:
        >>> c_strings(["cat", "dog"])
        '    "cat",\\n    "dog",'
    """
    return "\n".join(f"    {_c_string(label)}," for label in labels)


def c_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Return pairs of string literals, one a line, for the inside of an array.

    Example:
        >>> c_pairs([("image", "uint8 (any, 28, 28, 1)")])
        '    {"image", "uint8 (any, 28, 28, 1)"},'
    """
    return "\n".join(f"    {{{_c_string(one)}, {_c_string(other)}}}," for one, other in pairs)


def html_element(tag: str, text: str, *, depth: int) -> str:
    """Return an HTML element with nothing but a line of text in it, which stands at a depth of indentation.

    Example:
        >>> html_element("h1", "Cats & dogs", depth=1)
        '<h1>Cats &amp; dogs</h1>'
    """
    content = html.escape(one_line(text), quote=False)
    line = f"<{tag}>{content}</{tag}>"
    if 2 * depth + len(line) <= _PRETTIER_WIDTH:
        return line
    inner, outer = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    width = _PRETTIER_WIDTH - 2 * (depth + 1)
    wrapped = textwrap.wrap(content, width, break_long_words=False, break_on_hyphens=False)
    return f"<{tag}>{inner}{inner.join(wrapped)}{outer}</{tag}>"


def one_line(text: str) -> str:
    """Return a text for a comment, a title or a list with one name a line: no control characters, no line breaks."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).split())


def _lines(opening: str, items: Sequence[str], closing: str, indent: str) -> str:
    return "\n".join([opening, *(f"{indent}{item}," for item in items), closing])


def _quoted(text: str) -> str:
    """Return a string of Python, JavaScript and TypeScript, in the quotes that need fewer backslashes."""
    escaped = _UNSEEN.sub(lambda character: f"\\u{ord(character[0]):04x}", json.dumps(text, ensure_ascii=False))
    if text.count('"') <= text.count("'"):
        return escaped
    return "'" + escaped[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _width(line: str) -> int:
    """Return the columns that a line takes on a screen, as formatters count them: two for Chinese and for emoji."""
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")
        for character in _JOINED.sub("", line)
    )


def _c_string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return '"' + re.sub(rf"[\x00-\x1f]|{_UNSEEN.pattern}", _octal, escaped) + '"'


def _octal(character: re.Match[str]) -> str:
    # Three digits each: a digit behind them is then no part of the escape.
    return "".join(f"\\{byte:03o}" for byte in character[0].encode("utf-8", "replace"))
