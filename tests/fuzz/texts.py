"""JSON with damaged values, and texts of whoever writes them by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.fuzz.damage import damaged

_ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 3, 256, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), float("-inf"), [], {}, [[]], [None], [0, 0], {"a": {}}, "", " ", "a"),
    *("\0", "a\0b", "../a", "/etc/passwd", ".", "..", "a/b", "CON", "\ud800", "\u202ea", "\x1b[2J", "a\nb", "x" * 5000),
    *("batch", "uint8", "image", "nan", "1e999", "٣", "²"),
]
"""Values that JSON has, or that Python's reader of it takes."""

_DEEP = ("[" * 2000 + "]" * 2000, '{"a":' * 2000 + "1" + "}" * 2000)
_RAW = ["NaN", "Infinity", "1e999", "9" * 5000, "-0", *_DEEP, "", ","]
"""Texts in the place of a value."""

_MARK = "\ue000"


def damaged_json(values: Sequence[Any]) -> SearchStrategy[bytes]:
    """Return the text of one of these JSON values, with values, keys or bytes damaged."""
    texts = [json.dumps(value).encode() for value in values]
    return st.one_of(st.sampled_from(values).flatmap(_damaged), damaged(texts))


@st.composite
def _damaged(draw: DrawFn, whole: Any) -> bytes:
    value = copy.deepcopy(whole)
    raw = None
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(value))
        if not places:
            break
        inside, key = draw(st.sampled_from(places))
        change = draw(st.sampled_from(("remove", "replace", "rename", "repeat", "raw")))
        if change == "remove":
            del inside[key]
        elif change == "replace":
            inside[key] = copy.deepcopy(draw(st.sampled_from(_ODD)))
        elif change == "raw":
            inside[key], raw = _MARK, draw(st.sampled_from(_RAW))
        elif isinstance(inside, list):
            inside.extend([inside[key]] * draw(st.sampled_from((1, 50))))
        else:
            inside[draw(st.sampled_from(("", "\0", "a\nb", "x" * 300, "\ud800")))] = inside.pop(key)
    text = json.dumps(value)
    if raw is not None:
        text = text.replace(json.dumps(_MARK), raw)
    return text.encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each list or object in a value, with each of its indices or keys."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


CELLS = [
    *("", " ", "0", "1", "-1", "2", "1.5", "nan", "inf", "1e999", "9" * 5000, "٣", "²"),
    *("red", "a.png", "../a.png", "x" * 300, "\0", '"', "a\nb"),
]
"""What may stand between two separators."""


def tables(between: Sequence[str], cells: Sequence[str] = CELLS) -> SearchStrategy[bytes]:
    """Return lines of cells, in one of the encodings that editors write."""
    line = st.tuples(st.sampled_from(between), st.lists(st.sampled_from(cells), max_size=6)).map(
        lambda pair: pair[0].join(pair[1])
    )
    lines = st.tuples(st.sampled_from(("\n", "\r\n", "\r", "\u2028")), st.lists(line, max_size=6)).map(
        lambda pair: pair[0].join(pair[1])
    )
    encodings = st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "utf-7"))
    return st.builds(lambda text, encoding: text.encode(encoding, "replace"), lines, encodings)
