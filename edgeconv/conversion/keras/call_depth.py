"""As many nested calls as a deep network needs: Keras goes through a graph layer by layer, one call inside another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

DEPTH = 20_000
"""Nested calls that are enough: ResNetRS420, the deepest of keras.applications, has some 1,700 layers in a row."""


@contextmanager
def deep_calls() -> Iterator[None]:
    """Raise Python's limit of nested calls for a while; those of Python itself take no room on the stack of C."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
