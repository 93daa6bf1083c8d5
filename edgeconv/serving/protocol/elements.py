"""What a tensor holds, in JSON and in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError

_KINDS = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}
"""Kinds of numbers in JSON that become each kind of numpy's: 1.5 is no uint8, and true is no number."""


def numbers_of_json(name: str, data: Any, dtype: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Return an array of a list of numbers, nested or flat.

    Args:
        name: of the tensor, for errors.
        data: what JSON has.
        dtype: of the array.
        shape: of the array.

    Raises:
        InputError: they are other numbers, or not as many.
    """
    required = f"`data` of `{name}` as a list of {dtype.name} {tuple(shape)}"
    if not isinstance(data, list):
        raise InputError(
            f"A request requires {required}. Received: {type(data).__name__}. Give the numbers row by row."
        )
    if _has_strings(data):
        raise InputError(f"A request requires {required}. Received: strings. Convert them first.")
    try:
        read = np.array(data) if data else np.empty(0, dtype)
    except (ValueError, OverflowError):
        raise InputError(f"A request requires {required}. Received: lists of unequal length. Fill them.") from None
    if read.size != prod(shape):
        raise InputError(f"A request requires {required}. Received: {read.size} numbers. Give as many.")
    if read.size and read.dtype.kind not in _KINDS[dtype.kind]:
        raise InputError(f"A request requires {required}. Received: {read.dtype.name}. Convert them first.")
    if not _fit(read, dtype):
        raise InputError(f"A request requires {required}. Received: numbers beyond its range. Scale them first.")
    return read.astype(dtype).reshape(shape)


def _has_strings(data: list[Any]) -> bool:
    """Tell whether there is a string in a list, nested or flat: numpy makes each element as long as the longest."""
    waiting = [data]
    while waiting:
        row = waiting.pop()
        kinds = set(map(type, row))
        if str in kinds:
            return True
        if list in kinds:
            waiting.extend(part for part in row if type(part) is list)
    return False


def _fit(read: NDArray[Any], dtype: np.dtype[Any]) -> bool:
    if not read.size or dtype.kind == "b":
        return True
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return bool(limits.min <= read.min() and read.max() <= limits.max)


def bytes_of_json(name: str, data: Any, count: int) -> list[bytes]:
    """Return the strings of a list, nested or flat, as UTF-8.

    Raises:
        InputError: they are no strings, or not as many.
    """
    found: list[bytes] = []
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, str):
            found.append(value.encode(errors="replace"))
        else:
            raise InputError(f"A request requires strings in `{name}`. Received: {type(value).__name__}. Quote them.")
    if len(found) != count:
        raise InputError(f"A request requires {count} strings in `{name}`. Received: {len(found)}. Give as many.")
    return found


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
