"""Functions that must be compiled with XLA are inlined like all others: tf2onnx cannot convert a call.

Keras' TensorFlow backend wraps grouped convolutions, and 3D convolutions with channels first, into
`tf.function(jit_compile=True)`, since TensorFlow itself cannot run them on a CPU. TensorFlow's grappler leaves such
calls alone, and tf2onnx then sees a StatefulPartitionedCall. ONNX Runtime has no such need.

Upstream: https://github.com/onnx/tensorflow-onnx/issues/2099.
Goes when Keras no longer compiles these, or tf2onnx inlines functions itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ATTRIBUTE = "_XlaMustCompile"


@contextmanager
def xla_left_out(graph: Any) -> Iterator[None]:
    """Have a `FuncGraph` give definitions of itself without the order to compile, while the block runs."""
    original = graph.as_graph_def

    def as_graph_def(*args: Any, **kwargs: Any) -> Any:
        definition = original(*args, **kwargs)
        bodies = [definition.node, *(function.node_def for function in definition.library.function)]
        for holder in (*definition.library.function, *(node for body in bodies for node in body)):
            holder.attr.pop(ATTRIBUTE, None)
        return definition

    graph.as_graph_def = as_graph_def
    try:
        yield
    finally:
        del graph.as_graph_def
