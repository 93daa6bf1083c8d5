"""The mean of a map, as the operator that quantizers know: GlobalAveragePool.

From opset 18 on tf2onnx writes ReduceMean, and leaves the Transpose before it.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, constant, nodes_of, rank, replace, sizes

_REDUCTIONS = ("ReduceMean", "ReduceMax", "ReduceSum", "ReduceMin", "ReduceProd")


def reduce_before_transposes(model: ir.Model) -> int:
    """Reduce what a Transpose reads, over the axes as they were before it; return how many transposes are passed.

    Cases: the axes that remain keep their order; the others are gone, or have size 1.
    """
    passed = 0
    for node in nodes_of(model, *_REDUCTIONS):
        transpose = node.inputs[0].producer() if node.inputs[0] is not None else None
        axes, axes_known = _axes(node), rank(node.inputs[0])
        if transpose is None or transpose.op_type != "Transpose" or axes is None or not axes_known:
            continue
        order = attribute(transpose, "perm", ())
        remaining = [order[axis] for axis in range(len(order)) if axis not in axes]
        if not order or remaining != sorted(remaining):
            continue
        keeps = attribute(node, "keepdims", 1)
        target = [size if isinstance(size, int) else -1 for size in sizes(node.outputs[0]) or ()]
        if keeps and (not target or target.count(-1) > 1):
            continue
        reduced = _reduction(model, node, transpose.inputs[0], sorted(order[axis] for axis in axes), keeps)
        if keeps:
            model.graph.insert_before(node, reduced)
            shape = add_constant(model, np.array(target, np.int64))
            replace(model, [node], ir.node("Reshape", [reduced.outputs[0], shape], name=node.name))
        else:
            replace(model, [node], reduced)
        passed += 1
    return passed


def pool_maps(model: ir.Model) -> int:
    """Make a GlobalAveragePool of a ReduceMean over all that is behind the channels; return how many."""
    made = 0
    for node in nodes_of(model, "ReduceMean"):
        axes, shape = _axes(node), sizes(node.inputs[0])
        # A mean over the one axis of a sequence is LayerNormalization's as well, which runtimes know by ReduceMean.
        if shape is None or len(shape) < 4 or axes != list(range(2, len(shape))):
            continue
        pool = ir.node("GlobalAveragePool", [node.inputs[0]], name=node.name)
        if attribute(node, "keepdims", 1):
            replace(model, [node], pool)
        elif isinstance(shape[1], int):
            model.graph.insert_before(node, pool)
            source = node.inputs[0]
            pool.outputs[0].type = source.type if source is not None else None
            pool.outputs[0].shape = ir.Shape([*shape[:2], *(1,) * (len(shape) - 2)])
            target = add_constant(model, np.array([-1, shape[1]], np.int64))
            replace(model, [node], ir.node("Reshape", [pool.outputs[0], target], name=node.name))
        else:
            continue
        made += 1
    return made


def reduced_axes(node: ir.Node) -> list[int] | None:
    """Return the axes over which a node takes the mean and keeps them, or None if it does something else."""
    axes = rank(node.inputs[0])
    if node.op_type == "GlobalAveragePool" and axes is not None:
        return list(range(2, axes))
    return _axes(node) if node.op_type == "ReduceMean" and attribute(node, "keepdims", 1) else None


def _axes(node: ir.Node) -> list[int] | None:
    """Return the axes that a reduction reduces, sorted and not negative, or None where they are not known."""
    found = attribute(node, "axes", None)
    if found is None and len(node.inputs) > 1:
        array = constant(node.inputs[1])
        found = None if array is None else array.tolist()
    axes = rank(node.inputs[0])
    return None if found is None or axes is None else sorted(int(axis) % axes for axis in found)


def _reduction(model: ir.Model, like: ir.Node, source: ir.Value | None, axes: list[int], keepdims: int) -> ir.Node:
    inputs = [source]
    attributes: dict[str, int | list[int]] = {"keepdims": keepdims}
    if len(like.inputs) > 1:
        inputs.append(add_constant(model, np.array(axes, np.int64)))
    else:
        attributes["axes"] = axes
    return ir.node(like.op_type, inputs, attributes, name=like.name)
