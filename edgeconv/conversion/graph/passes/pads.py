"""Zeros around a map, left to the convolution or the pool that reads it."""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    attribute,
    constant,
    constant_floats,
    drop,
    nodes_of,
    only_consumer,
    scalar,
    sizes,
)

_NEVER_NEGATIVE = {"HardSigmoid", "Relu", "Sigmoid", "Softmax"}


def fold_pads(model: ir.Model) -> int:
    """Move a Pad with zeros into the `pads` of the node that alone reads it; return how many moved.

    Cases: a Conv, whose border is zeros; a MaxPool of what is never negative, each window of which has some of the map:
    its border is below everything, and a zero is never above that.
    """
    moved = 0
    for node in nodes_of(model, "Pad"):
        reader, added = only_consumer(node.outputs[0]), _zeros_around(node)
        if reader is None or added is None or node.inputs[0] is None:
            continue
        old = _border(reader, len(added))
        if old is None:
            continue
        pads = [a + b for a, b in zip(old, added, strict=True)]
        if reader.op_type != "Conv" and not (_pools_within(reader, pads) and _is_never_negative(node.inputs[0])):
            continue
        reader.attributes["pads"] = ir.AttrInt64s("pads", pads)
        reader.attributes.pop("auto_pad", None)
        moved += drop(model, node, node.inputs[0])
    return moved


def _zeros_around(node: ir.Node) -> list[int] | None:
    """Return how many zeros a Pad puts before and behind each axis of a map, as `pads` has them, or None."""
    amounts, shape = constant(node.inputs[1]), sizes(node.inputs[0])
    if amounts is None or shape is None or attribute(node, "mode", "constant") != "constant":
        return None
    axes = len(shape)
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        value = constant_floats(node.inputs[2])
        if value is None or value.any():
            return None
    if len(node.inputs) > 3 or len(amounts) != 2 * axes:
        return None
    if any(amounts[[0, 1, axes, axes + 1]]) or (amounts < 0).any():
        return None
    return [int(amount) for amount in (*amounts[2:axes], *amounts[axes + 2 :])]


def _border(reader: ir.Node, length: int) -> tuple[int, ...] | None:
    """Return the `pads` that a Conv or a MaxPool has already, or None where it has none of a given length."""
    auto = attribute(reader, "auto_pad", "NOTSET")
    if reader.op_type not in {"Conv", "MaxPool"} or auto not in {"NOTSET", "VALID"}:
        return None
    none = (0,) * length
    return none if auto == "VALID" else attribute(reader, "pads", none)


def _pools_within(pool: ir.Node, pads: list[int]) -> bool:
    """Whether each window of a MaxPool with these pads has some of the map, and nobody asks where its largest is."""
    kernel = attribute(pool, "kernel_shape", ())
    dilated = any(step != 1 for step in attribute(pool, "dilations", ()))
    within = all(pad < size for pad, size in zip(pads, (*kernel, *kernel), strict=True))
    return within and not dilated and attribute(pool, "ceil_mode", 0) == 0 and len(pool.outputs) == 1


def _is_never_negative(value: ir.Value) -> bool:
    node = value.producer()
    if node is None or node.domain != "":
        return False
    if node.op_type == "Clip":
        low = scalar(node.inputs[1], 0) if len(node.inputs) > 1 else None
        return low is not None and low >= 0.0
    return node.op_type in _NEVER_NEGATIVE
