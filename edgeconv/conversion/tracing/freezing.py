"""From a traced function to a TensorFlow graph in which weights are constants, with little memory.

tf2onnx's own way copies every weight some thirty times: ResNet50's 100 MB take 6 GB. Here large constants are taken
out of the graph before anything else looks at it, and handed to tf2onnx beside it, as its `large_model` does.
"""

from __future__ import annotations

from typing import Any

from edgeconv.conversion.tracing.patches.xla import xla_left_out

LARGE_BYTES = 65536
"""A constant from this size on is kept out of TensorFlow's own constant folding."""


def frozen(function: Any, inputs: list[str], outputs: list[str]) -> tuple[Any, dict[str, bytes]]:
    """Return the graph of a traced function with its variables frozen, and the bytes of its large constants by name.

    Args:
        function: a `tf.ConcreteFunction`.
        inputs: names of the tensors that stay inputs; whatever else the function captured becomes a constant.
        outputs: names of the tensors that are answers.
    """
    import tensorflow as tf
    from tf2onnx import tf_loader

    with xla_left_out(function.graph):
        graph = tf_loader.convert_variables_to_constants_large_model(function)
    _leave_assignments_out(graph)
    graph = tf_loader.fix_freezing_errors_part2(graph)
    graph, large = _without_large_constants(graph)
    with tf.Graph().as_default():
        graph = tf_loader.tf_optimize(inputs, outputs, graph)
    _put_back(graph, large)
    return graph, {name: tensor.tensor_content for name, tensor in large.items()}


def _leave_assignments_out(graph: Any) -> None:
    """Remove what changes variables, such as the seed of an augmentation layer: a constant cannot be assigned to."""
    assignments = {node.name for node in graph.node if node.op.startswith("Assign")}
    for place in reversed(range(len(graph.node))):
        node = graph.node[place]
        if node.name in assignments:
            del graph.node[place]
        elif assignments:
            kept = [name for name in node.input if name.removeprefix("^") not in assignments]
            del node.input[:]
            node.input.extend(kept)


def _without_large_constants(graph: Any) -> tuple[Any, dict[str, Any]]:
    """Return the graph with placeholders in place of large constants, and their tensors by node name."""
    large: dict[str, Any] = {}
    for node in graph.node:
        if node.op == "Const" and len(node.attr["value"].tensor.tensor_content) >= LARGE_BYTES:
            tensor = node.attr["value"].tensor
            large[node.name] = type(tensor)()
            large[node.name].CopyFrom(tensor)
            node.op = "Placeholder"
            node.attr["shape"].shape.CopyFrom(tensor.tensor_shape)
            del node.attr["value"]
    kept = type(graph)()
    kept.CopyFrom(graph)  # Freed with the old one is the memory of its weights.
    return kept, large


def _put_back(graph: Any, large: dict[str, Any]) -> None:
    for node in graph.node:
        if node.name in large:
            node.op = "Const"
            del node.attr["shape"]
            value = node.attr["value"].tensor
            value.dtype = large[node.name].dtype
            value.tensor_shape.CopyFrom(large[node.name].tensor_shape)
