"""Strings of bytes in a binary tensor: each has its length before it, 4 bytes, little-endian."""

from __future__ import annotations

from collections.abc import Sequence

from edgeconv.errors import InputError


def bytes_in(name: str, content: memoryview, count: int) -> list[bytes]:
    """Return strings that each have their length before them, 4 bytes, little-endian.

    Raises:
        InputError: they are cut short, or not as many.
    """
    found: list[bytes] = []
    place = 0
    while place < len(content):
        begin = place + 4
        place = begin + int.from_bytes(content[place:begin], "little")
        if place > len(content):
            raise InputError(f"A request requires whole strings in `{name}`. Received: one cut short. Send them whole.")
        found.append(bytes(content[begin:place]))
    if len(found) != count:
        raise InputError(f"A request requires {count} strings in `{name}`. Received: {len(found)}. Give as many.")
    return found


def as_bytes(strings: Sequence[bytes]) -> bytes:
    """Return strings each behind its length, as `bytes_in` reads them."""
    return b"".join(len(string).to_bytes(4, "little") + string for string in strings)
