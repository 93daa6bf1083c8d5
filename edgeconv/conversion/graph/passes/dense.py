"""Dense layers: MatMul and Add become one Gemm, and a Transpose before the Flatten moves into the weights.

A quantizer splits MatMul + Add into an int8 product and a float sum, and keeps Gemm whole. Gemm is defined for
matrices only, so a MatMul of higher rank stays.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, constant, nodes_of, only_consumer, rank, replace


def fuse_dense(model: ir.Model) -> int:
    """Fuse MatMul of matrices + Add of a bias into Gemm; return how many were fused."""
    fused = 0
    for node in nodes_of(model, "MatMul"):
        kernel, add = constant(node.inputs[1]), only_consumer(node.outputs[0])
        if kernel is None or kernel.ndim != 2 or rank(node.inputs[0]) != 2 or add is None or add.op_type != "Add":
            continue
        bias_value = add.inputs[1 if add.inputs[0] is node.outputs[0] else 0]
        bias = constant(bias_value)
        if bias is None or bias.shape not in {(kernel.shape[1],), (1, kernel.shape[1])}:
            continue
        replace(model, [node, add], ir.node("Gemm", [node.inputs[0], node.inputs[1], bias_value]))
        fused += 1
    return fused


def absorb_transposes(model: ir.Model) -> int:
    """Move a Transpose before a Flatten into the rows of the Gemm behind it; return how many moved.

    Cases of ``Transpose -> Reshape to (batch, features) -> Gemm`` where the transpose leaves the batch axis alone and
    all other axes have fixed sizes: row i of the weights then belongs to another feature, and nothing else changes.
    """
    moved = 0
    for node in nodes_of(model, "Transpose"):
        source = node.inputs[0]
        reshape = only_consumer(node.outputs[0]) if source is not None else None
        gemm = only_consumer(reshape.outputs[0]) if reshape is not None and reshape.op_type == "Reshape" else None
        if source is None or reshape is None or gemm is None or gemm.op_type != "Gemm" or source.shape is None:
            continue
        order = list(attribute(node, "perm", ()))
        sizes = [size for size in list(source.shape)[1:] if isinstance(size, int)]
        kernel, target = constant(gemm.inputs[1]), constant(reshape.inputs[1])
        first = next(iter(reshape.outputs[0].uses())).idx == 0
        plain = not attribute(gemm, "transA", 0) and not attribute(gemm, "transB", 0)
        if kernel is None or target is None or not first or not plain or not order or order[0] != 0:
            continue
        if len(sizes) + 1 != len(source.shape) or len(target) != 2 or target[1] != kernel.shape[0]:
            continue
        # Feature f of the transposed map is feature rows[f] of the map as it was.
        rows = np.arange(kernel.shape[0]).reshape(sizes).transpose([axis - 1 for axis in order[1:]]).ravel()
        moved_kernel = np.empty_like(kernel)
        moved_kernel[rows] = kernel
        gemm.replace_input_with(1, add_constant(model, moved_kernel))
        reshape.replace_input_with(0, source)
        model.graph.remove(node, safe=True)
        moved += 1
    return moved
