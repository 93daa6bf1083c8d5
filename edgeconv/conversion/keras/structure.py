"""Inputs and outputs as Keras nests them, in dicts, lists and tuples, and as ONNX lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(structure: Any, like: Any = None, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf with the innermost dict key above it, in the order in which the structure was written.

    Keras' own flattening sorts the keys of a dict; an exported file lists inputs and outputs as the model's author did.

    Args:
        structure: dicts, lists and tuples, nested.
        like: a structure of the same form whose order of keys counts; None takes the structure's own.
        key: of the dict that the structure lies in.

    Example:
        >>> list(leaves({"mask": 1, "boxes": [2, 3]}))
        [('mask', 1), ('boxes', 2), ('boxes', 3)]
    """
    if isinstance(structure, dict):
        for name in like or structure:
            yield from leaves(structure[name], like and like[name], str(name))
    elif isinstance(structure, list | tuple):
        for place, part in enumerate(structure):
            yield from leaves(part, like and like[place], key)
    elif structure is not None:
        yield key, structure


def rebuilt(structure: Any, leaf: Callable[[], Any]) -> Any:
    """Return the structure with what `leaf` returns in place of each leaf, asked in the order of `leaves`.

    Example:
        >>> rebuilt({"mask": 1, "boxes": [0, 0]}, iter("abc").__next__)
        {'mask': 'a', 'boxes': ['b', 'c']}
    """
    if isinstance(structure, dict):
        return {name: rebuilt(part, leaf) for name, part in structure.items()}
    if isinstance(structure, list | tuple):
        parts = [rebuilt(part, leaf) for part in structure]
        # A named tuple takes its fields one by one.
        return type(structure)(*parts) if hasattr(structure, "_fields") else type(structure)(parts)
    return None if structure is None else leaf()
