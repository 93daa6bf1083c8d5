"""Frozen dataclasses that are JSON objects, and that an import pays little for.

`dataclasses.dataclass` writes and compiles the methods of each class: half a millisecond a class, at every cold start.
A `Record` is a dataclass too, for `dataclasses.replace`, `fields` and `asdict`; its methods are written once, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field
from typing import Any, ClassVar, NoReturn, TypeAlias, dataclass_transform

Json: TypeAlias = "bool | int | float | str | tuple[Json, ...] | Mapping[str, Json] | None"
"""Any JSON value, its lists as tuples: for what another program defines."""

KEY, ABSENT, EMPTY, ONE_OF, PATTERN = "key", "absent", "empty", "one of", "pattern"
"""Entries of a field's metadata: the key in JSON where it is not the field's name; whether the key is left out where
the field has its default; whether None is written as an object without keys; the only values; the form of a text, for
the JSON Schema."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """Base of frozen dataclasses that are read by `edgeconv.reading.read` and written by `as_dict`.

    The module of a subclass goes without ``from __future__ import annotations``: its types are read at run time.

    Example:
        >>> class Size(Record):
        ...     height: int
        ...     width: int = 28
        >>> Size(14)
        Size(height=14, width=28)
        >>> Size(14).as_dict()
        {'height': 14, 'width': 28}
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        known = self.__dataclass_fields__
        by_place = [name for name, item in known.items() if not item.kw_only]
        values = dict(zip(by_place, args, strict=False))
        unexpected = [*kwargs.keys() - known.keys(), *kwargs.keys() & values.keys(), *args[len(by_place) :]]
        values |= kwargs
        absent = [name for name, item in known.items() if name not in values and not has_default(item)]
        if unexpected or absent:
            raise TypeError(f"{type(self).__name__}() lacks {absent}, and does not expect {unexpected}")
        for name, item in known.items():
            self.__dict__[name] = values[name] if name in values else default_of(item)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the values; nothing is to be checked here."""

    def as_dict(self) -> dict[str, Any]:
        """Return the record as a JSON object, its keys in the order of its fields."""
        value = {}
        for name, item in self.__dataclass_fields__.items():
            own = self.__dict__[name]
            if not (item.metadata.get(ABSENT) and own == default_of(item)):
                value[key_of(item)] = {} if own is None and item.metadata.get(EMPTY) else _plain(own)
        return value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def key_of(item: Field[Any]) -> str:
    """Return the key of a field in JSON."""
    return str(item.metadata.get(KEY, item.name))


def has_default(item: Field[Any]) -> bool:
    """Whether a field may be left out."""
    return item.default is not MISSING or item.default_factory is not MISSING


def default_of(item: Field[Any]) -> Any:
    """Return what a field is where it is left out."""
    return item.default if item.default_factory is MISSING else item.default_factory()


def _plain(value: Any) -> Any:
    """Return a value as `json` has it: dictionaries, lists, and what they hold."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.as_dict() if hasattr(value, "as_dict") else value
