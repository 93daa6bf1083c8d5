"""Keras and TensorFlow imported for a conversion, in two thirds of the time.

- Python searches for garbage after each 700 objects that are made, and finds none in what is imported.
- Keras 3.15 imports scikit-learn, pandas and Matplotlib wherever they are installed, to wrap and to draw models and to
  read tables, and TensorFlow 2.21 imports SciPy, for sparse matrices; no conversion does any of that. See
  keras/src/wrappers/fixes.py and tensorflow/python/keras/engine/training_v1.py; no issue yet. Goes when they import
  them where they use them.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from edgeconv.conversion.isolation.running import CHILD

OBJECTS = 50_000
"""Objects after which Python looks for garbage while it imports."""

NOT_NEEDED = ("sklearn", "scipy", "pandas", "matplotlib")
"""What Keras and TensorFlow do without where it is not installed, and in a child process of ours where it is."""


@contextmanager
def frameworks_imported() -> Iterator[None]:
    """Make it quick that the block imports Keras or TensorFlow, and leave what it imports out of later searches.

    Only while it imports: of a model that is converted, the weights are among the garbage.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    thresholds = gc.get_threshold()
    gc.set_threshold(OBJECTS, *thresholds[1:])
    absent = [name for name in NOT_NEEDED if name not in sys.modules] if _alone() else []
    sys.modules |= dict.fromkeys(absent)  # type: ignore[arg-type]  # How Python is told that a module is not there.
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        gc.set_threshold(*thresholds)
    gc.freeze()


def _alone() -> bool:
    """Whether nobody else uses Keras in this process."""
    return getattr(sys.modules["__main__"], "__file__", None) == str(CHILD)
