"""Borders around int8 maps, added as integers.

Between a DequantizeLinear and a QuantizeLinear ONNX Runtime (1.32) computes a Pad in float, and turns the maps around
it from channels last to channels first and back. Its Pad takes integers as well.
"""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, constant_floats, nodes_of, replace
from edgeconv.conversion.graph.qdq import activation, dequantized, quantizer_behind, scale_of


def pad_integers(model: ir.Model) -> int:
    """Let each Pad read the integers and make those behind it, where both have one scale; return how many did.

    Cases: zeros, which are the zero point; numbers of the map itself, as the modes `edge`, `reflect` and `wrap` take.

    Args:
        model: a QDQ graph, changed in place.
    """
    changed = 0
    for node in nodes_of(model, "Pad"):
        source, quantizer = activation(node.inputs[0]), quantizer_behind(node.outputs[0])
        scale = scale_of(quantizer) if quantizer is not None else None
        if source is None or quantizer is None or scale is None or not scale.equals(source.scale):
            continue
        inputs = [source.tensor, *node.inputs[1:]]
        if attribute(node, "mode", "constant") == "constant":
            if not _pads_with_zero(node):
                continue
            inputs[2:3] = [add_constant(model, scale.zero_point.reshape(()))]
        elif len(inputs) > 2:
            inputs[2] = None
        replace(model, [node, quantizer], ir.node("Pad", inputs, node.attributes))
        changed += 1
    return changed


def _pads_with_zero(node: ir.Node) -> bool:
    value = node.inputs[2] if len(node.inputs) > 2 else None
    if value is None:
        return True
    floats, stored = constant_floats(value), dequantized(value)
    if floats is not None:
        return not floats.any()
    return stored is not None and stored.array is not None and bool((stored.array == stored.scale.zero_point).all())
