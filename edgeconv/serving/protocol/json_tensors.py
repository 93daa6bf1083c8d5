"""What a tensor holds in JSON: numbers or strings, flat or nested as its shape is.

Numbers are checked by their brackets and commas as a text, and read in parts: a list of Python takes 30 times the bytes
of its JSON, an array of numpy a fraction of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import InputError

PART_BYTES = 2**16
"""Of JSON that become a list of Python's at once."""

MOST_LISTS = 1024
"""Lists and objects around strings: pictures in base64 have none inside."""

_STRUCTURE = b"[],"
_ALL_ELSE = bytes(set(range(256)) - set(_STRUCTURE))

_READERS: dict[str, Callable[[bytes], list[Any]]] = {
    "b": msgspec.json.Decoder(list[bool]).decode,
    **dict.fromkeys("iu", msgspec.json.Decoder(list[int]).decode),
    "f": msgspec.json.Decoder(list[float]).decode,
}
"""By the kinds of numpy's types: 1.5 is no integer, and true is no number."""

_PACKERS: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("b1", "u1"), bytes),
    **{form: partial(array, code) for form, code in {"i1": "b", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}.items()},
    **{form: partial(array, code) for form, code in {"i8": "q", "u8": "Q", "f4": "f", "f8": "d"}.items()},
}
"""What makes bytes of a list, and refuses what is beyond the range, by kind and size of numpy's types."""


def numbers_of_json(name: str, data: bytes, dtype: np.dtype[Any], shape: Sequence[int]) -> NDArray[Any]:
    """Return an array of a list of numbers, flat or nested.

    Args:
        name: of the tensor, for errors.
        data: the list, valid JSON; empty where there is none.
        dtype: of the array.
        shape: of the array.

    Raises:
        InputError: they are other numbers, or not as many.
    """
    required = f"`data` of `{name}` as a list of {dtype.name} {tuple(shape)}"
    if not data.startswith(b"["):
        raise InputError(f"A request requires {required}. Received: no list. Give the numbers row by row.")
    size, structure = prod(shape), data.translate(None, _ALL_ELSE)
    if not _is_structure(structure, (size,)):
        count = structure.count(b",") + 1
        if count != size and size:
            raise InputError(f"A request requires {required}. Received: {count} elements. Give as many.")
        if not _is_structure(structure, shape):
            raise InputError(f"A request requires {required}. Received: lists of another form. Nest none, or by shape.")
        data = b"[%b]" % data.translate(None, b"[]") if size else b"[%b]" % data.translate(None, _STRUCTURE)
    # Half the precision has no packer: its numbers go by way of single precision.
    packed = np.dtype(np.float32) if dtype.itemsize == 2 and dtype.kind == "f" else dtype.newbyteorder("=")
    read, pack = _READERS[dtype.kind], _PACKERS[packed.str[1:]]
    found, place = np.empty(size, packed), 0
    try:
        for part in _parts(data):
            numbers = np.frombuffer(pack(read(part)), packed)
            place += len(numbers)
            if place <= size:
                found[place - len(numbers) : place] = numbers
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError(f"A request requires {required}. Received: {_reason(error)}. Convert them first.") from None
    except (ValueError, OverflowError):
        raise InputError(f"A request requires {required}. Received: numbers beyond its range. Scale them.") from None
    if place != size:
        raise InputError(f"A request requires {required}. Received: {place} numbers. Give as many.")
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            found = found.astype(dtype, copy=False)
        if not np.isfinite(found).all():
            raise InputError(f"A request requires {required}. Received: numbers beyond its range. Scale them.")
    return found.reshape(shape)


def strings_of_json(name: str, data: bytes, count: int) -> list[bytes]:
    """Return the strings of a list, nested or flat, as UTF-8.

    Args:
        name: of the tensor, for errors.
        data: the list, valid JSON; empty where there is none.
        count: of the strings.

    Raises:
        InputError: they are no strings, or not as many.
    """
    required = f"{count} strings in `{name}`"
    if data.count(b"[") + data.count(b"{") > MOST_LISTS:
        raise InputError(f"A request requires {required}. Received: more than {MOST_LISTS} lists. Nest none.")
    try:
        waiting = [msgspec.json.decode(data or b"null")]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"A request requires {required}. Received: {_reason(error)}. Quote them.") from None
    found: list[bytes] = []
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, str):
            found.append(value.encode())
        else:
            raise InputError(f"A request requires {required}. Received: {type(value).__name__}. Quote them.")
    if len(found) != count:
        raise InputError(f"A request requires {required}. Received: {len(found)}. Give as many.")
    return found


def _is_structure(structure: bytes, shape: Sequence[int]) -> bool:
    """Tell whether brackets and commas are those of a list that is nested as a shape is.

    Example:
        >>> _is_structure(b"[[,,],[,,]]", (2, 3)), _is_structure(b"[,,,,,]", (2, 3))
        (True, False)
    """
    made = b""
    for size in reversed(shape):
        if len(made) * size + size > len(structure):  # A shape that a client makes up is not written out.
            return False
        made = b"[%b]" % ((made + b",") * (size - 1) + made if size else b"")
    return made == structure


def _parts(data: bytes) -> Iterator[bytes]:
    """Yield a flat list in parts that are lists again."""
    if len(data) <= PART_BYTES:
        yield data
        return
    start, last = 1, len(data) - 1
    while start < last:
        end = data.find(b",", start + PART_BYTES, last)
        end = last if end < 0 else end
        yield b"[%b]" % data[start:end]
        start = end + 1


def _reason(error: Exception) -> str:
    """Return what was wrong, without the place: it counts from the beginning of a part."""
    return str(error).partition(" - at ")[0][:100]
