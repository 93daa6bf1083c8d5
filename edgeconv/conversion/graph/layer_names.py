"""Names of nodes and tensors: those of the Keras layers, the same in every process.

TensorFlow names a node by the scopes it was traced in, makes scopes unique by adding `_1`, and tf2onnx numbers the
nodes that it adds with a counter of the process. The scope `conv_1` may so be the layer `conv_1` or the second use
of `conv`. While a model is traced each layer's name ends in `MARK`: `conv_1.` and `conv._1` cannot be mistaken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import onnx_ir as ir

from edgeconv.conversion.graph.order import read_by
from edgeconv.conversion.graph.qdq import DEQUANTIZE, QDQ, QUANTIZE

MARK = "."

_LAYER_SCOPE = re.compile(rf"^(?P<layer>.+){re.escape(MARK)}(_\d+)?$")


def layer_of_traced(node_name: str) -> str | None:
    """Return the path of the Keras layer that a traced node belongs to, without the outermost model, or None.

    Example:
        >>> layer_of_traced("functional_1._1/conv1._1/convolution")
        'conv1'
    """
    scopes = [match["layer"] for part in node_name.split("/") if (match := _LAYER_SCOPE.match(part))]
    return "/".join(scopes[1:]) or None


def layer_of_named(node_name: str) -> str | None:
    """Return the layer of a node that was named here before, also where a quantizer has added to the name, or None.

    Example:
        >>> layer_of_named("base/conv1/Conv:kernel_DequantizeLinear")
        'base/conv1'
    """
    return node_name.rpartition("/")[0] or None


def beside(node: ir.Node, operator: str) -> str:
    """Return the name of another node in a named node's layer; it may be taken."""
    return f"{layer_of_named(node.name or '') or _INPUT}/{operator}"


def give_layers(model: ir.Model, layer_of: Callable[[str], str | None]) -> None:
    """Give nodes names of the layers that they belong to, where the tracer's do not tell or depend on the hash seed.

    Cases: what tf2onnx fuses, a convolution with its batch normalization for instance, it names by its counter alone:
    that node belongs to the layer of its weights, or of the tensor that it makes. And equal nodes of several layers it
    merges under the name of any of them: a node that is read by its own layer and by others takes the name of the
    first that reads it.

    Args:
        model: changed in place; its nodes are in order, and equal constants are not merged yet, since only weights of
            one reader tell whose they are.
        layer_of: tells a node's layer from its name, and a tensor's from its own.
    """
    readers: dict[ir.Node, list[ir.Node]] = {}
    for node in model.graph:
        weights = [value for value in node.inputs if value and value.is_initializer() and len(value.uses()) == 1]
        names = [node.name or "", *(value.name or "" for value in (*weights, *node.outputs))]
        node.name = next((name for name in names if layer_of(name) is not None), None)
        for producer in read_by(node, model.graph):
            readers.setdefault(producer, []).append(node)
    beyond: dict[ir.Node, set[str]] = {}
    for node in reversed(model.graph):
        layer, reading = layer_of(node.name or ""), readers.get(node, [])
        layers = {name for reader in reading for name in beyond[reader]}
        shared = layer in layers and len(layers) > 1 and node.op_type not in _NEVER_MERGED
        if shared:
            node.name = next((reader.name for reader in reading if reader.name), None)
        beyond[node] = layers if shared or layer is None else {layer}


def name_after_layers(model: ir.Model, layer_of: Callable[[str], str | None]) -> None:
    """Name each node ``layer/Operator``, and each tensor after its node or its place in it.

    A node that belongs to no layer takes the layer of what it reads. The names of inputs and outputs stay. Nodes of a
    graph inside a node (the body of a Loop) are named below that node.

    A quantized graph has several tensors more for each one that it computes, whose names would weigh as much as small
    layers do. Those of one scale share a number: ``q3 = QuantizeLinear(x, s3, z3)``, ``dq3 = DequantizeLinear(q3, s3,
    z3)``. Quantized weights are named after the node behind their DequantizeLinear, as in the float graph.

    Args:
        model: changed in place.
        layer_of: tells a node's layer from its present name.
    """
    graph = model.graph
    fixed = {id(value) for value in (*graph.inputs, *graph.outputs)}
    used: Counter[str] = Counter(value.name for value in (*graph.inputs, *graph.outputs) if value.name)
    renamed: list[tuple[ir.Value, str]] = []

    def name(value: ir.Value | None, wanted: str) -> None:
        if value is not None and id(value) not in fixed:
            fixed.add(id(value))
            renamed.append((value, wanted))

    layers: dict[ir.Node, str] = {}
    numbers: dict[int, int] = {}
    weights: list[ir.Node] = []

    def name_quantized(node: ir.Node) -> None:
        number = numbers.setdefault(id(node.inputs[1]), len(numbers) + 1)
        name(node.outputs[0], _unique(f"{'q' if node.op_type == QUANTIZE else 'dq'}{number}", used))
        for constant, prefix in zip(node.inputs[1:], "sz", strict=False):
            if constant is not None and constant.is_initializer() and id(constant) not in fixed:
                name(constant, _unique(f"{prefix}{number}", used))
        if node.op_type == DEQUANTIZE:
            weights.append(node)

    def name_nodes(inside: ir.Graph, outer: str | None) -> None:
        for node in inside:
            read = (layers[producer] for producer in read_by(node, inside))
            layers[node] = outer or layer_of(node.name or "") or next(read, _INPUT)
            node.name = _unique(f"{layers[node]}/{_ABBREVIATIONS.get(node.op_type, node.op_type)}", used)
            quantized = node.op_type in QDQ and node.domain == ""
            if quantized:
                name_quantized(node)
            for value in node.outputs:
                name(value, f"{node.name}:{value.index()}")
            for place, constant in enumerate(node.inputs):
                if constant is not None and constant.is_initializer() and not quantized:
                    name(constant, f"{node.name}:{_ROLES.get((node.op_type, place), f'input{place}')}")
            for number, body in enumerate(_graphs_of(node)):
                body.name, body.doc_string = f"{node.name}:body{number}", None
                for place, value in enumerate(body.inputs):
                    name(value, f"{body.name}:{place}")
                name_nodes(body, node.name)

    name_nodes(graph, None)
    for node in weights:  # Their readers have names now.
        if node.inputs[0] is not None and node.inputs[0].is_initializer():
            name(node.inputs[0], _role_behind(node))
    # Two steps, so that no new name meets an old one on the way.
    for number, (value, _) in enumerate(renamed):
        value.name = f"{MARK}renaming{number}"
    for value, wanted in renamed:
        value.name = wanted
    graph.name = "edgeconv"
    graph.doc_string = None


def _role_behind(dequantizer: ir.Node) -> str:
    """Return the name of weights: their place in the first node that reads them as floats."""
    use = next(iter(dequantizer.outputs[0].uses()), None)
    if use is None:
        return f"{dequantizer.name}:quantized"
    return f"{use.node.name}:{_ROLES.get((use.node.op_type, use.idx), f'input{use.idx}')}"


def _graphs_of(node: ir.Node) -> list[ir.Graph]:
    return [item.value for item in node.attributes.values() if item.type == ir.AttributeType.GRAPH]


_NEVER_MERGED = {"Loop", "If", "Scan", "LSTM", "GRU", "RNN"}
"""Operators that carry a state or a graph: what they make is read by their own layer and by the next."""

_INPUT = "input"
"""What belongs to no layer, and reads nothing that does: the Cast of the pixels."""

_ABBREVIATIONS = {QUANTIZE: "Q", DEQUANTIZE: "DQ"}

_ROLES = {
    ("Conv", 1): "kernel",
    ("Conv", 2): "bias",
    ("Gemm", 1): "kernel",
    ("Gemm", 2): "bias",
    ("MatMul", 1): "kernel",
    ("Reshape", 1): "shape",
}


def _unique(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return name if used[name] == 1 else f"{name}_{used[name]}"
