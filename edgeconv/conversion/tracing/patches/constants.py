"""Constants are written to protobuf once: tf2onnx does it again after each of its 24 optimisations.

The protobuf library frees none of the earlier copies before the end: 2.4 GB for ResNet50's 100 MB.
`Graph.make_graph` takes a constant's value from the node's attributes, never from the copy that is left out here.

Upstream: https://github.com/onnx/tensorflow-onnx, `graph.Node.update_proto`, no issue yet.
Goes when tf2onnx no longer rewrites unchanged constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced


@contextmanager
def constants_written_once() -> Iterator[None]:
    """Leave constants out of `Node.update_proto` while the block runs."""
    from tf2onnx.graph import Node

    original = Node.update_proto

    def update_proto(node: Any, *args: Any, **kwargs: Any) -> None:
        if not node.is_const():
            original(node, *args, **kwargs)

    with replaced(Node, "update_proto", update_proto):
        yield
