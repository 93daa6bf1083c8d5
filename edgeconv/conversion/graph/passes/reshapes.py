"""Reshapes: one where there were several, none where nothing changes, and to a constant shape where it is known.

tf2onnx turns Flatten into Shape, Gather, Cast, Slice, Concat, Cast and Reshape, or into one Reshape, as the hash seed
of the process has it; and it leaves a Squeeze and a Reshape on both sides of a pooled map.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    drop,
    infer_shapes,
    nodes_of,
    producer,
    replace,
    sizes,
)
from edgeconv.conversion.graph.passes.shape_values import Size, fold_shape_values, known_sizes, reshaped, size_of

_ROUNDS = 20
"""A reshape may wait for the shape of the one before: deeper chains than this keep their arithmetic."""


def make_reshapes_constant(model: ir.Model) -> int:
    """Give each Reshape whose target is known a constant one; return how many changed.

    An axis of the source that is dynamic and stays in its place becomes 0, which stands for "as it was"; at most one
    other dynamic axis becomes -1.
    """
    changed = 0
    for _ in range(_ROUNDS):
        infer_shapes(model)
        folded = fold_shape_values(model)
        known = known_sizes(model)
        for node in nodes_of(model, "Reshape"):
            wanted, shape = node.inputs[1], sizes(node.inputs[0])
            if wanted is None or shape is None or attribute(node, "allowzero", 0):
                continue
            source = [size_of(size, node.inputs[0], axis) for axis, size in enumerate(shape)]
            found = reshaped(known[wanted], source) if wanted in known and known[wanted].ndim == 1 else None
            result = sizes(node.outputs[0])
            if found is None and result is not None:
                found = [size_of(size, node.outputs[0], axis) for axis, size in enumerate(result)]
            if found is None:
                continue
            node.outputs[0].shape = ir.Shape([_axis(size) for size in found])  # Inference does not look behind -1.
            target = _target_within(found, source)
            array = constant(wanted)
            if target is not None and (array is None or array.tolist() != target):
                node.replace_input_with(1, add_constant(model, np.array(target, np.int64)))
                folded += 1
                changed += array is None
        if not folded:
            break
        RemoveUnusedNodesPass()(model)
    return changed


def merge_reshapes(model: ir.Model) -> int:
    """Make one Reshape of two in a row, and none of one that changes nothing; return how many changed.

    Cases: Reshape, Squeeze, Unsqueeze, Flatten, and a Transpose that moves nothing but axes of size 1.
    """
    gone = 0
    for node in nodes_of(model, "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"):
        if node.inputs[0] is None or not _moves_nothing(node):
            continue
        before = producer(node.inputs[0])
        chain = [before, node] if before is not None and _moves_nothing(before) else [node]
        source, result = chain[0].inputs[0], sizes(node.outputs[0])
        shape, target = sizes(source), _target(result)
        if source is None or result is None or shape is None:
            continue
        if _equal(shape, result):
            if drop(model, node, source):
                model.graph.remove(chain[:-1], safe=True)
                gone += len(chain)
        elif target is not None and (len(chain) > 1 or node.op_type == "Transpose"):
            replace(model, chain, ir.node("Reshape", [source, add_constant(model, np.array(target, np.int64))]))
            gone += 1
    return gone


def _moves_nothing(node: ir.Node) -> bool:
    """Whether a node leaves the order of the numbers alone."""
    if node.op_type != "Transpose":
        return node.op_type in {"Reshape", "Squeeze", "Unsqueeze", "Flatten"}
    shape, order = sizes(node.inputs[0]), attribute(node, "perm", ())
    kept = [axis for axis in order if shape is not None and shape[axis] != 1]
    return shape is not None and bool(order) and kept == sorted(kept)


def _equal(shape: tuple[int | str | None, ...], other: tuple[int | str | None, ...]) -> bool:
    """Whether two shapes of as many numbers are equal: all axes but one, and so that one too."""
    unsure = [axis for axis, (one, two) in enumerate(zip(shape, other, strict=False)) if one is None or one != two]
    sure = all(not isinstance(shape[axis], int) and not isinstance(other[axis], int) for axis in unsure)
    return len(shape) == len(other) and len(unsure) <= 1 and sure


def _target(shape: tuple[int | str | None, ...] | None) -> list[int] | None:
    if shape is None or sum(not isinstance(size, int) for size in shape) > 1 or 0 in shape:
        return None
    return [size if isinstance(size, int) else -1 for size in shape]


def _axis(size: Size) -> int | str | None:
    return size.factor if not size.axes else size.axes[0] if size == Size(1, size.axes[:1]) else None


def _target_within(shape: list[Size], source: list[Size]) -> list[int] | None:
    target = [
        size.factor if not size.axes else 0 if axis < len(source) and source[axis] == size else -1
        for axis, size in enumerate(shape)
    ]
    zeros = any(size == Size(0) for size in shape)
    return target if target.count(-1) <= 1 and not zeros and min(target, default=0) >= -1 else None
