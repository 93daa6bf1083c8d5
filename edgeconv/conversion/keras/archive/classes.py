"""Which names in a config are Keras' own, and harmless to call."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module

from edgeconv.conversion.keras.importing import frameworks_imported
from edgeconv.quiet import native_log_held_back

BUILT_OF = ("layers", "models")
CALLED = ("activations", "initializers", "regularizers", "constraints", "losses", "metrics", "ops")
OTHERS = ("dtype_policies", "quantizers", "optimizers", "random", "applications")
"""Packages of Keras whose classes models are made of. `keras.utils`, `keras.saving` and others download and write."""

BUILTIN = re.compile(rf"keras(\.src)?(\.({'|'.join((*BUILT_OF, *CALLED, *OTHERS))})(\.\w+)*)?")
"""Full match: the name of a module whose classes models are made of."""

FUNCTIONS = {"builtins", *(f"keras.{room}" for room in CALLED)}
"""Modules whose functions models are made of. Keras writes its own as of `builtins`, and finds them in its packages."""

LITERALS = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
"""What Keras writes as an object and is a plain value."""


def knows_class(module: str | None, name: str) -> bool:
    """Tell whether the installed Keras has that class; without a module, anywhere. Imports Keras."""
    name = name.rpartition(">")[2]
    if module is None:
        return any(knows_class(f"keras.src.{room}", name) for room in (*BUILT_OF, *CALLED, *OTHERS))
    return isinstance(_found(module, name), type)


def knows_function(name: str) -> bool:
    """Tell whether the installed Keras has that function in a room of functions. Imports Keras."""
    return any(callable(_found(module, name)) for module in sorted(FUNCTIONS - {"builtins"}))


@cache
def _found(module: str, name: str) -> object:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_log_held_back(), frameworks_imported():
        try:
            return getattr(import_module(module), name, None)
        except ModuleNotFoundError:
            return None
