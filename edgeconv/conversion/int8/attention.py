"""Attention's products as they are written down: the heads stay an axis of their own.

tf2onnx makes of an Einsum a MatMul of three axes, with reshapes that fold the heads into the batch and back, and axes
of size 1 that come and go. Each of them would stand between a DequantizeLinear and a QuantizeLinear.
"""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import attribute, constant, nodes_of, only_consumer, replace, sizes
from edgeconv.conversion.graph.layer_names import beside


def keep_heads(model: ir.Model) -> int:
    """Multiply (batch, heads, rows, columns) where (batch * heads, rows, columns) was; return how often.

    Args:
        model: changed in place; shapes are stated.
    """
    changed = 0
    for node in nodes_of(model, "MatMul"):
        back = only_consumer(node.outputs[0])
        shape = sizes(back.outputs[0]) if back is not None and back.op_type == "Reshape" else None
        product = sizes(node.outputs[0])
        if back is None or shape is None or len(shape) != 4 or product is None or shape[2:] != product[1:]:
            continue
        operands = [_with_heads(model, value, shape[:2], node) for value in node.inputs]
        if None not in operands:
            replace(model, [node, back], ir.node("MatMul", operands, name=node.name))
            changed += 1
    return changed


_Axes = tuple[int | str | None, ...]


def _with_heads(model: ir.Model, value: ir.Value | None, heads: _Axes, before: ir.Node) -> ir.Value | None:
    """Return an operand with axes of its own for batch and heads, or None."""
    node = value.producer() if value is not None else None
    if value is None or node is None:
        return None
    if node.op_type == "Transpose" and tuple(attribute(node, "perm", ())) == (0, 2, 1):
        inner = _with_heads(model, node.inputs[0], heads, before)
        return None if inner is None else _transposed(model, inner, (0, 1, 3, 2), before)
    folded, source = sizes(value), node.inputs[0]
    shape = sizes(source)
    if node.op_type not in {"Reshape", "Unsqueeze", "Squeeze"} or folded is None or shape is None or source is None:
        return None
    if len(folded) != 3 or shape[:1] != heads[:1]:
        return None
    if shape == (*heads, *folded[1:]):
        return source
    found = _order_without_ones(source)
    if found is None or [size for size in shape if size != 1] != [*heads, *folded[1:]]:
        return None
    return _transposed(model, *found, before)


def _order_without_ones(value: ir.Value) -> tuple[ir.Value, tuple[int, ...]] | None:
    """Return what a Transpose behind an Unsqueeze transposes, and in which order, without the axis of size 1."""
    transpose = value.producer()
    added = transpose.inputs[0].producer() if transpose is not None and transpose.inputs[0] is not None else None
    if transpose is None or transpose.op_type != "Transpose" or added is None or added.op_type != "Unsqueeze":
        return None
    axes, source = constant(added.inputs[1]), added.inputs[0]
    if axes is None or axes.size != 1 or source is None:
        return None
    order = tuple(attribute(transpose, "perm", ()))
    one = int(axes.item()) % len(order)
    return source, tuple(axis - (axis > one) for axis in order if axis != one)


def _transposed(model: ir.Model, value: ir.Value, order: tuple[int, ...], before: ir.Node) -> ir.Value:
    node = ir.node("Transpose", [value], {"perm": list(order)}, name=beside(before, "Transpose"))
    shape = sizes(value)
    node.outputs[0].type = value.type
    node.outputs[0].shape = None if shape is None else ir.Shape([shape[axis] for axis in order])
    model.graph.insert_before(before, node)
    return node.outputs[0]
