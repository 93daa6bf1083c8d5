"""The key-value pairs of an ONNX file, read without opening the model: its graph is skipped over."""

from __future__ import annotations

from collections.abc import Iterator

_METADATA_PROPS, _KEY, _VALUE = 14, 1, 2
"""Field numbers of `ModelProto` and of `StringStringEntryProto` (github.com/onnx/onnx, onnx/onnx.proto)."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Kinds of a field (protobuf.dev/programming-guides/encoding)."""


def read_metadata(model: bytes) -> dict[str, str]:
    """Return the key-value pairs of an ONNX file; none of bytes that are no ONNX file.

    Example:
        >>> read_metadata(b"\\x72\\x06\\x0a\\x01a\\x12\\x01b")
        {'a': 'b'}
    """
    try:
        entries = [dict(_fields(entry)) for number, entry in _fields(memoryview(model)) if number == _METADATA_PROPS]
        return {str(entry[_KEY], "utf-8"): str(entry.get(_VALUE, b""), "utf-8") for entry in entries}
    except (IndexError, KeyError, ValueError):
        return {}


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of each field that has a length.

    Raises:
        IndexError, ValueError: it is no message.
    """
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            _, place = _varint(message, place)
            continue
        if kind not in {_FIXED64, _LENGTH, _FIXED32}:
            raise ValueError(f"no kind of a field: {kind}")
        size, place = _varint(message, place) if kind == _LENGTH else (8 if kind == _FIXED64 else 4, place)
        if place + size > len(message):
            raise IndexError("cut short")
        if kind == _LENGTH:
            yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        shift += 7
        place += 1
        if byte < 0x80:
            return value, place
