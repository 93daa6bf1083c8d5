"""Adaptive pooling to one value a channel, as the mean or the maximum of the whole picture.

Keras pools by windows of two sizes and picks from both. Where one value remains, the larger window is larger than the
picture: on arrays TensorFlow answers with nothing to pick from, or dies of a division by zero where oneDNN has AVX-512;
in a graph it is an error, also in Keras' `predict`.

Upstream: https://github.com/keras-team/keras, `keras.ops.adaptive_average_pool`, no issue yet.
Goes when Keras makes no window that it does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def pooled_at_once() -> Iterator[None]:
    """Replace the adaptive pooling of Keras' TensorFlow backend, where one value remains, while the block runs."""
    import tensorflow as tf
    from keras.src.backend.tensorflow import nn

    average, maximum = nn.adaptive_average_pool, nn.adaptive_max_pool
    nn.adaptive_average_pool = _pooling(average, tf.reduce_mean)
    nn.adaptive_max_pool = _pooling(maximum, tf.reduce_max)
    try:
        yield
    finally:
        nn.adaptive_average_pool, nn.adaptive_max_pool = average, maximum


def _pooling(original: Callable[..., Any], reduce: Callable[..., Any]) -> Callable[..., Any]:
    def pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Any:
        import keras

        if set(output_size if isinstance(output_size, tuple | list) else [output_size]) != {1}:
            return original(inputs, output_size, data_format)
        first = 2 if (data_format or keras.config.image_data_format()) == "channels_first" else 1
        return reduce(inputs, axis=list(range(first, first + len(inputs.shape) - 2)), keepdims=True)

    return pool
