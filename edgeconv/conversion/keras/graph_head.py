"""The last activation of a TensorFlow graph: the operator that makes its one output, through calls and identities."""

from __future__ import annotations

from typing import Any

ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}
"""Operators that are the last activation of a network, by their names in TensorFlow."""


def last_activation(signature: Any) -> Any:
    """Return Keras' function of the last activation of a signature, or None where another operator comes last.

    Args:
        signature: a concrete function of a SavedModel.
    """
    import keras

    if len(signature.outputs) != 1:
        return None
    tensor = signature.outputs[0]
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    kind = tensor.op.type
    if kind.endswith("PartitionedCall"):
        functions = {each.signature.name: each for each in signature.graph.as_graph_def().library.function}
        kind = _last_operator(functions, tensor.op.get_attr("f").name, tensor.value_index)
    name = ACTIVATIONS.get(kind)
    return None if name is None else keras.activations.get(name)


def _last_operator(functions: dict[str, Any], name: str, place: int) -> str:
    """Return the type of the operator that makes an output of a function of a graph's library."""
    function = functions[name]
    nodes = {node.name: node for node in function.node_def}
    made = function.ret[function.signature.output_arg[place].name]
    while (node := nodes.get(made.partition(":")[0])) is not None and node.op == "Identity":
        made = node.input[0]
    if node is None:
        return ""
    if node.op.endswith("PartitionedCall"):
        return _last_operator(functions, node.attr["f"].func.name, int(made.rpartition(":")[2]))
    return str(node.op)
