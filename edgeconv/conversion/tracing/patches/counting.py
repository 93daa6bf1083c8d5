"""Discretization and counting: TensorFlow's Bucketize and DenseBincount, which tf2onnx does not map.

    bucketize(x)[i]          = how many boundaries are at most x[i]
    bincount(x, weights)[c]  = the sum of the weights of the x that are c; of ones if there are no weights

`tf.math.bincount` computes its number of classes in the graph even where it is given twice, as Keras does; it is
therefore replaced while the model is traced.

Upstream: https://github.com/onnx/tensorflow-onnx, no issue yet.
Goes when the oldest tf2onnx that edgeconv accepts maps both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import onnx

from edgeconv.conversion.tracing.patches.handler import Handlers, add, constant, replace
from edgeconv.conversion.tracing.patches.replacing import replaced


def handlers() -> Handlers:
    """Return the handler of Bucketize."""
    return {"Bucketize": (_bucketize, [])}


def _bucketize(graph: Any, node: Any, _name: str, _args: Any) -> None:
    boundaries = constant(graph, node, np.array(node.get_attr_value("boundaries"), np.float32))
    last = constant(graph, node, np.array([-1], np.int64))
    values = add(graph, node, "Cast", [node.input[0]], to=onnx.TensorProto.FLOAT)
    reached = add(graph, node, "GreaterOrEqual", [add(graph, node, "Unsqueeze", [values, last]), boundaries])
    counted = add(graph, node, "Cast", [reached], to=onnx.TensorProto.INT32)
    replace(graph, node, "ReduceSum", [counted, last], keepdims=0)


@contextmanager
def counted_by_one_hot() -> Iterator[None]:
    """Sum one-hot rows in place of `tf.math.bincount`, where the number of classes is given, while the block runs."""
    import tensorflow as tf

    original = tf.math.bincount
    with replaced(tf.math, "bincount", partial(_bincount, original)):
        yield


def _bincount(original: Callable[..., Any], arr: Any, weights: Any = None, **options: Any) -> Any:
    import tensorflow as tf

    classes = options.get("minlength")
    if classes is None or classes != options.get("maxlength") or options.get("axis") != -1 or not tf.is_tensor(arr):
        return original(arr, weights, **options)
    dtype = options.get("dtype", tf.int32) if weights is None else weights.dtype
    # By comparison: tf2onnx gives the OneHot of integers an input too many.
    one_hot = tf.cast(tf.equal(tf.cast(arr, tf.int64)[..., None], tf.range(classes, dtype=tf.int64)), dtype)
    if options.get("binary_output"):
        return tf.reduce_max(one_hot, axis=-2)
    return tf.reduce_sum(one_hot if weights is None else one_hot * weights[..., None], axis=-2)
