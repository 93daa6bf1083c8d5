"""`TimeDistributed` as one call of its layer on all steps of all sequences.

Keras calls the layer once a step, which gives as many copies of it as there are steps, and maps it over sequences of
any length by `tf.vectorized_map`, of which tf2onnx makes wrong shapes. At inference a layer treats each row of a batch
for itself, so that the steps can as well be rows.

Upstream: none; both of Keras' ways are right. Goes when Keras folds the steps into the batch itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def steps_as_rows() -> Iterator[None]:
    """Replace `TimeDistributed.call` while the block runs."""
    from keras.layers import TimeDistributed

    def call(wrapper: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        options = {"training": training} if wrapper.layer._call_has_training_arg else {}
        if wrapper.layer._call_has_mask_arg and mask is not None:
            options["mask"] = _reshaped(mask, [-1], 2)
        rows = wrapper.layer.call(_reshaped(inputs, [-1], 2), **options)
        return _reshaped(rows, _sizes(inputs)[:2], 1)

    with replaced(TimeDistributed, "call", call):
        yield


def _reshaped(tensor: Any, leading: list[Any], replaced: int) -> Any:
    """Return a tensor with other sizes in place of its first axes."""
    import tensorflow as tf

    return tf.reshape(tensor, [*leading, *_sizes(tensor)[replaced:]])


def _sizes(tensor: Any) -> list[Any]:
    """Return the size of each axis: a number where it is known, else a tensor."""
    import tensorflow as tf

    sizes = tf.shape(tensor)
    return [sizes[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
