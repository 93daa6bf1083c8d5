"""Channels turned round before a convolution, turned round in its kernel instead: blue-green-red meets RGB pixels."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    drop,
    nodes_of,
    only_consumer,
    rank,
)

_BEYOND = 10**9
"""What tf2onnx writes for the end of an axis."""


def fold_channel_order(model: ir.Model) -> int:
    """Fold a Slice that turns the input channels of a Conv round into its kernel; return how many went.

    Cases: a Conv of one group; between the two only transposes.
    """
    folded = 0
    for conv in nodes_of(model, "Conv"):
        kernel, value = constant(conv.inputs[1]), conv.inputs[0]
        if kernel is None or attribute(conv, "group", 1) != 1:
            continue
        axis = 1
        while value is not None and only_consumer(value) is not None and (node := value.producer()) is not None:
            if node.op_type == "Transpose" and "perm" in node.attributes:
                axis, value = attribute(node, "perm", ())[axis], node.inputs[0]
                continue
            if _turns_round(node, axis, kernel.shape[1]) and node.inputs[0] is not None:
                conv.replace_input_with(1, add_constant(model, np.flip(kernel, axis=1)))
                folded += drop(model, node, node.inputs[0])
            break
    return folded


def _turns_round(node: ir.Node, axis: int, channels: int) -> bool:
    """Whether a node is `x[..., ::-1]` along the one axis."""
    if node.op_type != "Slice" or node.domain or len(node.inputs) != 5:
        return False
    starts, ends, axes, steps = (constant(value) for value in node.inputs[1:])
    if starts is None or ends is None or axes is None or steps is None:
        return False
    moved = [place for place, step in enumerate(steps) if step != 1 or starts[place] != 0]
    # What is taken whole along the other axes does nothing.
    whole = all(ends[place] >= _BEYOND for place in range(len(axes)) if place not in moved)
    if len(moved) != 1 or not whole:
        return False
    (place,) = moved
    along = int(axes[place]) % (rank(node.inputs[0]) or 1)
    from_last = starts[place] in {-1, channels - 1} or starts[place] >= channels
    return bool(along == axis and steps[place] == -1 and from_last and ends[place] < -channels)
