"""Integers looked up in a table of integers: TensorFlow's tables live outside the graph, and ONNX has none.

    lookup(x) = default + sum_i [x = key_i] (value_i - default)

Keys are different from each other, so at most one term remains, and integers are exact. It compares each x with every
key, which is right for the vocabularies of categories and slow beyond some ten thousands of them. Tables of strings
stay what they are, and are refused.

Upstream: none; ONNX's LabelEncoder is an operator of `ai.onnx.ml`, which small runtimes leave out.
Goes when every runtime that edgeconv targets has LabelEncoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def lookups_by_comparison() -> Iterator[None]:
    """Replace the `lookup` of TensorFlow's static tables of integers while the block runs."""
    import tensorflow as tf

    original = tf.lookup.StaticHashTable.lookup

    def lookup(table: Any, keys: Any, name: str | None = None) -> Any:
        if not (table.key_dtype.is_integer and table.value_dtype.is_integer and tf.is_tensor(keys)):
            return original(table, keys, name)
        with tf.init_scope():
            known, values = (tensor.numpy() for tensor in table.export())
            default = table.default_value.numpy()
        found = tf.cast(tf.equal(tf.cast(keys, table.key_dtype)[..., None], known), table.value_dtype)
        return default + tf.reduce_sum(found * (values - default), axis=-1)

    with replaced(tf.lookup.StaticHashTable, "lookup", lookup):
        yield
