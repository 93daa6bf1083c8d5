"""JSON that anyone may have written becomes records, or one line that says which key is wrong."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from edgeconv.errors import ManifestError
from edgeconv.record import EMPTY, ONE_OF, Json, Record, default_of, has_default, key_of

Kind = TypeVar("Kind", bound=Record)

DEEPEST = 32
"""Lists and objects inside one another, where their form is open; those of the quantizer's options are four."""

LONGEST = 60
"""Characters of a key or of a text that an error repeats."""

_WORDS = {str: "text", bool: "true or false", int: "a whole number of 64 bits", float: "a finite number"}


def read(kind: type[Kind], value: object, source: str) -> Kind:
    """Read a record from a JSON object; keys that the record does not have are ignored.

    Args:
        kind: the class of the record.
        value: what `json.loads` returned.
        source: what the errors call it, such as its path.

    Raises:
        ManifestError: a key is absent, or has a value it cannot have: of another type, no finite number, a number
            beyond 64 bits, text that is no Unicode, or lists and objects more than `DEEPEST` deep.

    Example:
        >>> read(ArraySpec, {"name": 3}, "manifest.json")  # doctest: +SKIP
        ManifestError: `manifest.json` requires text at `name`. Received: 3. Export the model again.
    """
    try:
        return _record(kind, value, "")
    except _MismatchError as error:
        required, place, instead = error.args
        raise ManifestError(
            f"`{source}` requires {required}{f' at `{place}`' if place else ''}. Received: {instead}. "
            "Export the model again."
        ) from None


class _MismatchError(Exception):
    """What is required, at which key, and what was received."""


def _record(kind: type[Kind], value: object, place: str) -> Kind:
    if not isinstance(value, Mapping):
        raise _MismatchError("an object", place, received(value))
    values = {}
    for name, item in kind.__dataclass_fields__.items():
        key = key_of(item)
        if key not in value:
            if not has_default(item):
                raise _MismatchError(f"the key `{key}`", place, "an object without it")
        elif value[key] == {} and item.metadata.get(EMPTY):
            values[name] = default_of(item)
        else:
            found = values[name] = _value(item.type, value[key], _below(place, key))
            choices = item.metadata.get(ONE_OF, (found,))
            if found not in (None, *choices):
                raise _MismatchError(f"one of {', '.join(choices)}", _below(place, key), received(found))
    return kind(**values)


def _value(kind: Any, value: Any, place: str) -> Any:
    """Return a value of a type as it stands in the annotation of a field."""
    if kind in _WORDS:
        if not _fits(kind, value):
            raise _MismatchError(_WORDS[kind], place, received(value))
        return value
    if kind == Json:
        return _open(value, place, DEEPEST)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return _one_of(inside, value, place)
    if origin is tuple:
        return _items(inside, value, place)
    if origin is Literal:
        if value not in inside:
            raise _MismatchError(f"one of {', '.join(inside)}", place, received(value))
        return value
    if not isinstance(value, Mapping):
        raise _MismatchError("an object", place, received(value))
    if hasattr(kind, "from_dict"):
        return kind.from_dict(_open(value, place, DEEPEST))
    if isinstance(kind, type) and issubclass(kind, Record):
        return _record(kind, value, place)
    return {_key(key, place): _value(inside[1], item, _below(place, key)) for key, item in value.items()}


def _one_of(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    """Return a value of one of several types; of those that are no plain ones there is one at most."""
    plain = [kind for kind in kinds if kind in _WORDS]
    if (value is None and type(None) in kinds) or any(_fits(kind, value) for kind in plain):
        return value
    others = [kind for kind in kinds if kind not in plain and kind is not type(None)]
    if others:
        return _value(others[0], value, place)
    raise _MismatchError(" or ".join(_WORDS[kind] for kind in plain), place, received(value))


def _items(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _MismatchError("a list", place, received(value))
    if kinds[1:] == (...,):
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise _MismatchError(f"a list of {len(kinds)}", place, f"a list of {len(value)}")
    return tuple(_value(kind, item, f"{place}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _open(value: Any, place: str, depth: int) -> Any:
    """Return a value whose form is open, with tuples for lists."""
    if value is None or any(_fits(kind, value) for kind in _WORDS):
        return value
    if depth and isinstance(value, Mapping):
        return {_key(key, place): _open(item, _below(place, key), depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple):
        return tuple(_open(item, f"{place}[{i}]", depth - 1) for i, item in enumerate(value))
    raise _MismatchError(f"JSON of finite numbers and text, at most {DEEPEST} deep,", place[:LONGEST], received(value))


def _fits(kind: type, value: Any) -> bool:
    """Whether a value is of a plain type; a whole number is a number too, and true is none."""
    if kind is str:
        return isinstance(value, str) and (value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value))
    if kind is bool:
        return isinstance(value, bool)
    whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    return whole or (kind is float and isinstance(value, float) and value - value == 0.0)


def _key(key: Any, place: str) -> str:
    if not _fits(str, key):
        raise _MismatchError("keys that are text", place, received(key))
    return str(key)


def _below(place: str, key: Any) -> str:
    shown = key if isinstance(key, str) and len(key) <= LONGEST and key.isprintable() else received(key)
    return f"{place}.{shown}" if place else shown


def received(value: Any) -> str:
    """Say what was received in few words on one line."""
    if isinstance(value, str):
        return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}...")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "a number beyond 64 bits"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    return "a list" if isinstance(value, list | tuple) else "an object" if isinstance(value, Mapping) else "no JSON"
