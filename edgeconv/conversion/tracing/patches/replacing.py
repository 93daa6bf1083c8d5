"""An attribute of a module or a class of others, replaced for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Let an attribute have another value while the block runs, whatever the block raises.

    Args:
        owner: a module or a class.
        name: of its attribute.
        value: to have for the while.
    """
    # As it is stored: asked of its class, a class method would come back bound.
    original = vars(owner)[name] if name in vars(owner) else getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)
