"""New nodes in a graph that has its layers' names already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant
from edgeconv.conversion.graph.qdq import DEQUANTIZE, QUANTIZE, Scale


def add_node(
    model: ir.Model,
    before: ir.Node,
    operator: str,
    inputs: Sequence[ir.Value | None],
    attributes: Mapping[str, int | Sequence[int]] | None = None,
) -> ir.Value:
    """Put a node before another, in whose layer it is, and return what it makes."""
    layer = (before.name or "").rpartition("/")[0]
    node = ir.node(operator, inputs, attributes or {}, name=f"{layer}/{operator}" if layer else None)
    model.graph.insert_before(before, node)
    return node.outputs[0]


def dequantize(model: ir.Model, value: ir.Value, scale: Scale, before: ir.Node, axis: int | None = None) -> ir.Value:
    """Put a DequantizeLinear before a node; the axis is that of the channels, where each has its own scale."""
    inputs = [value, add_constant(model, scale.scale), add_constant(model, scale.zero_point)]
    attributes = {"axis": axis} if axis is not None and scale.scale.ndim else {}
    return add_node(model, before, DEQUANTIZE, inputs, attributes)


def quantize(model: ir.Model, value: ir.Value, scale: Scale, before: ir.Node) -> ir.Value:
    """Put a QuantizeLinear before a node."""
    inputs = [value, add_constant(model, scale.scale), add_constant(model, scale.zero_point)]
    return add_node(model, before, QUANTIZE, inputs)
