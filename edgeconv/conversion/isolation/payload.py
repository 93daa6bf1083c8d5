"""Results and errors between processes, pickled; the parent unpickles what a hostile model may have had a hand in.

Only data come through: edgeconv's own dataclasses, enumerations and errors, `OSError`s, paths and numpy arrays. A
pickle that names any other class or function is refused before anything of that name is imported or called.
"""

from __future__ import annotations

import builtins
import io
import pickle
import sys
from dataclasses import is_dataclass
from enum import Enum
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import EdgeconvError

PACKAGE = "edgeconv"

PROTOCOL = 4
"""Has sets and classes as opcodes, so that these need no function of Python's by name."""


def array_of(dtype: str, shape: tuple[int, ...], data: bytes) -> NDArray[Any]:
    """Return an array of its bytes; `np.frombuffer` makes none of Python objects."""
    return np.frombuffer(data, np.dtype(dtype)).reshape(shape).copy()


def scalar_of(dtype: str, data: bytes) -> Any:
    """Return a numpy scalar of its bytes."""
    return np.frombuffer(data, np.dtype(dtype))[0]


FUNCTIONS = (array_of, scalar_of)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Write arrays and paths by our functions: numpy's and pathlib's own differ between versions."""
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return array_of, (value.dtype.str, value.shape, value.tobytes())
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return scalar_of, (value.dtype.str, value.tobytes())
        if isinstance(value, PurePath):
            return Path, (str(value),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return a class that is mere data, or one of our two functions."""
        if module.partition(".")[0] == "pathlib" and name == "Path":
            return Path
        if module == __name__ and name in {function.__name__ for function in FUNCTIONS}:
            return getattr(sys.modules[__name__], name)
        if module == "builtins" and _is_error(getattr(builtins, name, None), OSError):
            return getattr(builtins, name)
        if module == PACKAGE or module.startswith(f"{PACKAGE}."):
            found = getattr(import_module(module), name, None)
            if isinstance(found, type) and found.__module__ == module and _is_data(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no data of edgeconv's")


def packed(value: Any) -> bytes:
    """Return a result or an error as bytes.

    Raises:
        Exception: whatever pickle raises for what cannot be pickled, or not be unpickled by `unpacked`.
    """
    stream = io.BytesIO()
    _Pickler(stream, PROTOCOL).dump(value)
    unpacked(stream.getvalue())  # Here, where the traceback shows whose result it is.
    return stream.getvalue()


def unpacked(data: bytes) -> Any:
    """Return the result or the error of the bytes.

    Raises:
        pickle.UnpicklingError: the bytes name a class that is not mere data.
    """
    return _Unpickler(io.BytesIO(data)).load()


def _is_data(found: type) -> bool:
    return is_dataclass(found) or issubclass(found, Enum) or _is_error(found, EdgeconvError)


def _is_error(found: object, base: type[BaseException]) -> bool:
    return isinstance(found, type) and issubclass(found, base)
