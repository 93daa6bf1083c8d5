"""Layers of preprocessing called step by step do as they do in a graph: they cast to their own type first.

`Resizing` of uint8 pictures casts to float32 where Keras compiles the model, as `fit` and `predict` do and as its
symbolic output says, and rounds to uint8 where the model is called on arrays. Files follow the former, so that the
reference must.

Upstream: none; `DataLayer.__call__` asks whether it is in a graph of TensorFlow.
Goes when Keras answers alike in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cast_as_in_graphs() -> Iterator[None]:
    """Let Keras' layers of preprocessing believe that they are in a graph while the block runs."""
    from keras.src.utils.backend_utils import TFGraphScope

    with TFGraphScope():
        yield
