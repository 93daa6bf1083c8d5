"""The two orders of a map's axes: channels first, which ONNX speaks, and channels last, which kernels read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, constant, sizes
from edgeconv.conversion.int8.forms.nodes import add_node

TO_LAST = (0, 2, 3, 1)
TO_FIRST = (0, 3, 1, 2)


def transposed(model: ir.Model, value: ir.Value, order: tuple[int, ...], before: ir.Node) -> ir.Value:
    """Return a value with its axes in another order; its type and shape are known if the value's are."""
    result = add_node(model, before, "Transpose", [value], {"perm": order})
    known = sizes(value)
    result.type = value.type
    result.shape = None if known is None else ir.Shape([known[axis] for axis in order])
    return result


def reshaped(model: ir.Model, value: ir.Value, shape: Sequence[int], before: ir.Node) -> ir.Value:
    """Return a value in another shape, whose first size is that of the batch."""
    target = add_constant(model, np.array([-1, *shape[1:]], np.int64))
    result = add_node(model, before, "Reshape", [value, target])
    result.type, result.shape = value.type, ir.Shape([None, *shape[1:]])
    return result


def channels_last(model: ir.Model, value: ir.Value, before: ir.Node) -> ir.Value:
    """Return a map with its channels last: what a Transpose, or a Reshape of one channel, was made of, or a new one."""
    return known_channels_last(value) or transposed(model, value, TO_LAST, before)


def known_channels_last(value: ir.Value) -> ir.Value | None:
    """Return the value that is a map with its channels last, if the graph has it, or None.

    Cases: a Transpose made it channels first; a Reshape moved an axis of one channel, and no number.
    """
    node = value.producer()
    if node is None or node.domain != "" or node.inputs[0] is None:
        return None
    if node.op_type == "Transpose" and tuple(attribute(node, "perm", ())) == TO_FIRST:
        return node.inputs[0]
    if node.op_type == "Reshape":
        before, after = sizes(node.inputs[0]), _sizes_of_reshape(node)
        if before is not None and after is not None and len(before) == len(after) == 4:
            height, width = before[1], before[2]
            if isinstance(height, int) and isinstance(width, int) and (1, height, width) == tuple(after[1:]):
                return node.inputs[0] if before[3] == 1 else None
    return None


def _sizes_of_reshape(node: ir.Node) -> tuple[int | str | None, ...] | None:
    target = constant(node.inputs[1])
    return None if target is None else tuple(int(size) for size in target)
