"""The names that the function of a Lambda layer looks up: a file holds its code, and not what stood around it.

A workaround: Keras gives such a function the names of its own module `python_utils`, so that
`Lambda(lambda x: tf.nn.depth_to_space(x, 2))` is saved, and never opens again. Unneeded when
`keras.saving.load_model` lets a Lambda's function find modules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def lambdas_find(objects: Mapping[str, Any]) -> Iterator[None]:
    """Let the functions of Lambda layers that are loaded in the block find modules by their usual names, and objects.

    Args:
        objects: what the user brings for the model, by its name.
    """
    import keras
    import tensorflow as tf
    from keras.src.utils import python_utils

    names = {
        "tf": tf,
        "tensorflow": tf,
        "np": np,
        "numpy": np,
        "math": math,
        "keras": keras,
        "K": tf.keras.backend,
        "layers": keras.layers,
        "ops": keras.ops,
    }
    load = python_utils.func_load
    around = {**vars(python_utils), **names, **objects}

    def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
        return load(code, defaults, closure, around if globs is None else globs)

    with replaced(python_utils, "func_load", func_load):
        yield
