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


def name_after_layers(model: ir.Model, layer_of: Callable[[str], str | None]) -> None:
    """Name each node ``layer/Operator``, and each tensor after its node or its place in it.

    A node that belongs to no layer takes the layer of the node before it. The names of inputs and outputs stay.

    Args:
        model: changed in place.
        layer_of: tells a node's layer from its present name.
    """
    graph = model.graph
    outputs = {id(value) for value in graph.outputs}
    used: Counter[str] = Counter(value.name for value in (*graph.inputs, *graph.outputs) if value.name)
    layer = "input"
    renamed: list[tuple[ir.Value, str]] = []
    named_initializers: set[int] = set()
    for node in graph:
        layer = layer_of(node.name or "") or layer
        node.name = _unique(f"{layer}/{node.op_type}", used)
        renamed += [(value, f"{node.name}:{value.index()}") for value in node.outputs if id(value) not in outputs]
        for place, constant in enumerate(node.inputs):
            if constant is not None and constant.is_initializer() and id(constant) not in named_initializers:
                named_initializers.add(id(constant))
                renamed.append((constant, f"{node.name}:{_ROLES.get((node.op_type, place), f'input{place}')}"))
    # Two steps, so that no new name meets an old one on the way.
    for number, (value, _) in enumerate(renamed):
        value.name = f"{MARK}renaming{number}"
    for value, name in renamed:
        value.name = name
    graph.name = "edgeconv"
    graph.doc_string = None


_ROLES = {
    ("Conv", 1): "kernel",
    ("Conv", 2): "bias",
    ("Gemm", 1): "kernel",
    ("Gemm", 2): "bias",
    ("MatMul", 1): "kernel",
    ("Reshape", 1): "shape",
    ("QuantizeLinear", 1): "scale",
    ("QuantizeLinear", 2): "zero_point",
    ("DequantizeLinear", 0): "quantized",
    ("DequantizeLinear", 1): "scale",
    ("DequantizeLinear", 2): "zero_point",
}


def _unique(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return name if used[name] == 1 else f"{name}_{used[name]}"
