"""Protobuf messages with damaged fields, whose lengths are right again: byte damage rarely comes behind a length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
"""Kinds of a field (protobuf.dev/programming-guides/encoding)."""

_NUMBERS = [0, 1, 2, 3, 10, 127, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
_CONTENTS = [b"", b"\0", b"a", b"\xff\xfe", b"a\0b", b"../a", b"image", b"\x1b[2J", b"x" * 1000, b"\x0a" * 1000]


@dataclass
class Field:
    """A field: its number, its kind, and what it holds.

    Attributes:
        inside: the fields of a field that has a length, where its content can be read as a message.
    """

    number: int
    kind: int
    content: bytes
    inside: list[Field] = field(default_factory=list)

    def encode(self) -> bytes:
        content = encode(self.inside) if self.inside else self.content
        tag = _varint(self.number << 3 | self.kind)
        return tag + _varint(len(content)) + content if self.kind == LENGTH else tag + content


def damaged_messages(messages: list[bytes]) -> SearchStrategy[bytes]:
    """Return one of these messages, with one to three of its fields, at any depth, damaged."""
    return st.sampled_from(messages).flatmap(_damaged)


@st.composite
def _damaged(draw: DrawFn, message: bytes) -> bytes:
    fields = decode(message)
    for _ in range(draw(st.integers(1, 3))):
        siblings = draw(st.sampled_from(list(_levels(fields))))
        if not siblings:
            continue
        place = draw(st.integers(0, len(siblings) - 1))
        change = draw(st.sampled_from(("remove", "repeat", "number", "content", "move")))
        if change == "remove":
            del siblings[place]
        elif change == "repeat":
            siblings[place:place] = [siblings[place]] * draw(st.sampled_from((1, 2, 50)))
        elif change == "number":
            siblings[place].number = draw(st.integers(1, 30))
        elif change == "content":
            _refill(draw, siblings[place])
        else:
            level = draw(st.sampled_from(list(filter(None, _levels(fields)))))
            siblings += decode(draw(st.sampled_from(level)).encode())
    return encode(fields)


def _refill(draw: DrawFn, item: Field) -> None:
    item.inside = []
    if item.kind == LENGTH:
        item.content = draw(st.sampled_from(_CONTENTS) | st.binary(max_size=40))
    elif item.kind == VARINT:
        item.content = _varint(draw(st.sampled_from(_NUMBERS) | st.integers(0, 40)))
    else:
        item.content = draw(st.binary(min_size=len(item.content), max_size=len(item.content)))


def _levels(fields: list[Field]) -> Iterator[list[Field]]:
    yield fields
    for item in fields:
        if item.inside:
            yield from _levels(item.inside)


def encode(fields: list[Field]) -> bytes:
    """Return the message of some fields."""
    return b"".join(item.encode() for item in fields)


def decode(message: bytes, deepest: int = 8) -> list[Field]:
    """Return the fields of a message, those of messages within it too.

    Raises:
        ValueError: it is none.
    """
    fields, place = [], 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            end = _read_varint(message, place)[1]
        elif kind == LENGTH:
            size, place = _read_varint(message, place)
            end = place + size
        else:
            end = place + {FIXED64: 8, FIXED32: 4}.get(kind, len(message) + 1)
        if end > len(message) or not number:
            raise ValueError("no message")
        found = Field(number, kind, message[place:end])
        if kind == LENGTH and deepest and found.content:
            found.inside = _decode_or_leave(found.content, deepest - 1)
        fields.append(found)
        place = end
    return fields


def _decode_or_leave(content: bytes, deepest: int) -> list[Field]:
    try:
        return decode(content, deepest)
    except ValueError:
        return []


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    for end in range(place, min(place + 10, len(message))):
        if message[end] < 0x80:
            chunk = message[place : end + 1]
            return sum((byte & 0x7F) << 7 * shift for shift, byte in enumerate(chunk)), end + 1
    raise ValueError("no number")


def _varint(number: int) -> bytes:
    chunk = bytearray()
    while number >= 0x80:
        chunk.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*chunk, number])
