"""`UpSampling2D` by interpolation, of pictures of any size.

Keras asks by an `if` whether the new height and width are positive before it resizes. Where they are tensors that is
an error in a graph, but for TensorFlow's AutoGraph, which rewrites Python; conversion does without. Here Keras resizes
without asking: the sizes are products of positive ones.

Upstream: https://github.com/keras-team/keras, `keras.ops.image.resize`, no issue yet.
Goes when Keras checks only sizes that it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def unknown_sizes_taken() -> Iterator[None]:
    """Replace `keras.ops.image.resize`, where the new size is a tensor, while the block runs."""
    import tensorflow as tf
    from keras.src import ops
    from keras.src.backend.tensorflow import image as backend

    original = ops.image.resize

    def resize(images: Any, size: Any, **options: Any) -> Any:
        if any(tf.is_tensor(side) for side in size):
            return backend.resize(images, size, **options)
        return original(images, size, **options)

    with replaced(ops.image, "resize", resize):
        yield
