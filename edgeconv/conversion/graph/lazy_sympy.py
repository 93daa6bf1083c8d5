"""SymPy, imported when somebody computes with it: onnx-ir 1.1 imports it for arithmetic of symbolic sizes.

No pass here does such arithmetic, and the import takes a fifth of a second of every export.

Upstream: https://github.com/onnx/ir-py, `_core.py` and `_symbolic_shapes.py`, no issue yet.
Goes when onnx-ir imports SymPy where it uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

LAZY = {"sympy", "onnx_ir._symbolic_shapes"}
"""The latter makes a table of SymPy's functions when it is imported."""


class _LazyFinder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in LAZY else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def sympy_when_needed() -> Iterator[None]:
    """Let the block import onnx-ir without SymPy, which is imported when its first name is asked for."""
    finder = _LazyFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
