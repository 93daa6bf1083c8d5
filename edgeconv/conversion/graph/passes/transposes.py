"""Transposes that meet and cancel, and those that go when they are moved.

Keras keeps channels last and ONNX keeps them first. tf2onnx moves most of the transposes between the two together;
what it leaves are pairs around operators that work element by element.
"""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    drop,
    nodes_of,
    only_consumer,
    rank,
    sizes,
)

_ELEMENTWISE = {
    *("Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid"),
    *("HardSwish", "Tanh", "Softplus", "Softsign", "Clip", "Exp", "Log", "Sqrt", "Reciprocal", "Neg", "Abs", "Erf"),
    *("PRelu", "Cast", "Round", "Floor", "Ceil", "Sign", "ThresholdedRelu", "Celu", "Mish"),
}
_DEPTH = 12
"""How many operators a Transpose may move over; each look costs as many steps."""


def merge_transposes(model: ir.Model) -> int:
    """Make one Transpose of two in a row, and none of one that changes nothing; return how many changed."""
    gone = 0
    for node in nodes_of(model, "Transpose"):
        order = _order(node)
        if order is None or node.inputs[0] is None:
            continue
        if order == tuple(range(len(order))):
            gone += drop(model, node, node.inputs[0])
            continue
        before = node.inputs[0].producer()
        first = _order(before) if before is not None and before.op_type == "Transpose" else None
        if before is None or first is None:
            continue
        node.replace_input_with(0, before.inputs[0])
        node.attributes["perm"] = ir.AttrInt64s("perm", [first[axis] for axis in order])
        if not before.outputs[0].uses() and not before.outputs[0].is_graph_output():
            model.graph.remove(before, safe=True)
        gone += 1
    return gone


def move_transposes_up(model: ir.Model) -> int:
    """Move transposes against the stream, over operators that do not mind, where fewer remain; return how many moved.

    Cases: operators that work element by element, on operands that are transposes, constants, maps whose only axes of
    more than one element keep their order, or again such operators. Each is read by nobody else.
    """
    moved = 0
    for node in nodes_of(model, "Transpose"):
        order, source = _order(node), node.inputs[0]
        if order is None or source is None or node.outputs[0].is_graph_output() or only_consumer(source) is None:
            continue
        above = source.producer()
        if above is None or above.op_type not in _ELEMENTWISE or _cost(source, order, _DEPTH) >= 1:
            continue
        drop(model, node, _transposed(model, source, order, _DEPTH))
        moved += 1
    return moved


def _order(node: ir.Node) -> tuple[int, ...] | None:
    order = attribute(node, "perm", None)
    return None if order is None else tuple(order)


def _cost(value: ir.Value, order: tuple[int, ...], depth: int) -> int:
    """Return how many transposes there are more if a value is made in another order; 1 or less is no loss."""
    array = constant(value)
    if array is not None:
        return 0 if array.ndim <= len(order) else 99
    node = value.producer()
    if rank(value) != len(order):
        return 99
    if node is not None and node.op_type == "Transpose":
        cancels = tuple((_order(node) or ())[axis] for axis in order) == tuple(range(len(order)))
        return (-1 if only_consumer(value) else 0) if cancels else 0 if only_consumer(value) else 1
    if node is not None and depth and node.op_type in _ELEMENTWISE and only_consumer(value) is not None:
        return sum(_cost(operand, order, depth - 1) for operand in _operands(node))
    return 0 if _is_reshape(value, order) else 1


def _transposed(model: ir.Model, value: ir.Value, order: tuple[int, ...], depth: int) -> ir.Value:
    """Return a value in another order, made as `_cost` counts it."""
    array = constant(value)
    if array is not None:
        if array.size == 1:
            return value
        return add_constant(model, array.reshape((1,) * (len(order) - array.ndim) + array.shape).transpose(order))
    node = value.producer()
    if node is not None and depth and node.op_type in _ELEMENTWISE and only_consumer(value) is not None:
        for place, operand in enumerate(node.inputs):
            if operand in _operands(node) and operand is not None:
                node.replace_input_with(place, _transposed(model, operand, order, depth - 1))
        value.shape = None if value.shape is None else ir.Shape([value.shape[axis] for axis in order])
        return value
    if node is not None and node.op_type == "Transpose" and (first := _order(node)) is not None:
        both = tuple(first[axis] for axis in order)
        if both == tuple(range(len(order))) and node.inputs[0] is not None:
            return node.inputs[0]
    reader = ir.node("Transpose", [value], {"perm": list(order)}, name=_name_of(value))
    shape = value.shape
    reader.outputs[0].type = value.type
    reader.outputs[0].shape = None if shape is None else ir.Shape([shape[axis] for axis in order])
    if node is not None and node.graph is not None:
        model.graph.insert_after(node, reader)
    else:
        model.graph.insert_before(model.graph[0], reader)
    return reader.outputs[0]


def _name_of(value: ir.Value) -> str | None:
    node = value.producer()
    return None if node is None else node.name


def _operands(node: ir.Node) -> list[ir.Value]:
    """Return the inputs that are worked on element by element: the bounds of Clip are not."""
    return [value for value in (node.inputs[:1] if node.op_type == "Clip" else node.inputs) if value is not None]


def _is_reshape(value: ir.Value, order: tuple[int, ...]) -> bool:
    shape = sizes(value)
    kept = [axis for axis in order if shape is not None and shape[axis] != 1]
    dynamic = sum(not isinstance(size, int) for size in shape or ())
    return shape is not None and kept == sorted(kept) and dynamic <= 1
