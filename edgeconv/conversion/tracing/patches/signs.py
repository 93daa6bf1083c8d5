"""The sign of a float by comparison: Keras reads it from the bits, in `ops.argmax` and `ops.argmin` among others.

Bitcast has no counterpart in ONNX. The two differ for -0.0 only, which is smaller than 0.0 in Keras' `argmax` and equal
to it here and in ONNX; the comparison with Keras sees it where it matters.

Upstream: none; Keras guards against processors that flush subnormal numbers (https://github.com/jax-ml/jax/issues/24280).
Goes when tf2onnx maps Bitcast.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def signs_by_comparison() -> Iterator[None]:
    """Let Keras' `signbit` compare with zero while the block runs."""
    import tensorflow as tf
    from keras.src.backend.tensorflow import numpy as backend

    def signbit(x: Any) -> Any:
        tensor = tf.convert_to_tensor(x)
        return tensor < tf.zeros((), tensor.dtype)

    with replaced(backend, "signbit", signbit):
        yield
