"""GRU cells in the form that tf2onnx makes one GRU operator of, instead of a loop, which takes four times as long.

    z = sigmoid(x W_z + b_z + h R_z + c_z)      r = sigmoid(x W_r + b_r + h R_r + c_r)
    n = tanh(x W_n + b_n + r * (h R_n + c_n))   h' = z * h + (1 - z) * n

Keras adds the biases b and c, which it cuts out of one variable in each step; tf2onnx knows this cell (`reset_after`)
with a BiasAdd of a constant from outside of the loop. Other cells, those that are given a mask among them, stay loops.

Upstream: https://github.com/onnx/tensorflow-onnx, `rnn_utils.keras_gru_pattern`, no issue yet.
Goes when tf2onnx finds the GRU of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def biases_read_once() -> Iterator[None]:
    """Replace steps of GRU layers while the block runs, where nothing forbids it."""
    from keras.layers import GRU, GRUCell

    inner_loop, call = GRU.inner_loop, GRUCell.call
    steps: dict[int, Callable[..., Any]] = {}

    def looped(layer: Any, sequences: Any, initial_state: Any, mask: Any, training: Any = False) -> Any:
        if type(layer.cell) is GRUCell and layer.cell.reset_after and not training:
            steps[id(layer.cell)] = _step_of(layer.cell)
        try:
            return inner_loop(layer, sequences, initial_state, mask, training=training)
        finally:
            steps.pop(id(layer.cell), None)

    def called(cell: Any, inputs: Any, states: Any, training: Any = False) -> Any:
        return steps.get(id(cell), partial(call, cell))(inputs, states, training=training)

    with replaced(GRU, "inner_loop", looped), replaced(GRUCell, "call", called):
        yield


def _step_of(cell: Any) -> Callable[..., Any]:
    """Return what computes a step of a cell, whose biases are read before the loop."""
    import tensorflow as tf

    size = 3 * cell.units
    biases = tf.unstack(tf.convert_to_tensor(cell.bias)) if cell.use_bias else [tf.zeros(size, cell.compute_dtype)] * 2

    def step(inputs: Any, states: Any, **_options: Any) -> Any:
        nested = isinstance(states, (list, tuple))
        before = states[0] if nested else states
        products = tf.matmul(inputs, cell.kernel), tf.matmul(before, cell.recurrent_kernel)
        (x_z, x_r, x_n), (h_z, h_r, h_n) = (
            tf.split(tf.nn.bias_add(product, bias), 3, axis=-1) for product, bias in zip(products, biases, strict=True)
        )
        z, r = cell.recurrent_activation(x_z + h_z), cell.recurrent_activation(x_r + h_r)
        after = z * before + (1 - z) * cell.activation(x_n + r * h_n)
        return after, [after] if nested else after

    return step
