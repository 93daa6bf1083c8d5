"""Dense layers on sequences, multiplied as they are: tf2onnx flattens the sequences, multiplies, and restores them.

With a dynamic length the shape to restore is computed at run time; MatMul needs none of that. Attention's projections
are such layers as well, whose last axis is split into heads.
"""

from __future__ import annotations

import math

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    nodes_of,
    only_consumer,
    rank,
    replace,
    sizes,
)
from edgeconv.conversion.graph.passes.shape_values import Size, known_sizes, reshaped, size_of

_RESHAPES = {"Reshape", "Squeeze", "Unsqueeze"}


def multiply_sequences(model: ir.Model) -> int:
    """Make a MatMul of ``Reshape to rows -> MatMul or Gemm -> Reshape back``; return how many were made.

    Cases: the last axis comes back whole, or split; in the second case a Reshape to constants stays.
    """
    made = 0
    known = known_sizes(model)
    for node in nodes_of(model, "MatMul", "Gemm"):
        kernel, back = constant(node.inputs[1]), only_consumer(node.outputs[0])
        source = _before_reshapes(node.inputs[0])
        target = back.inputs[1] if back is not None and back.op_type == "Reshape" else None
        wanted = None if target is None else known.get(target)
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        plain = attribute(node, "alpha", 1.0) == 1.0 and not attribute(node, "transA", 0)
        plain &= bias is None or attribute(node, "beta", 1.0) == 1.0
        if kernel is None or kernel.ndim != 2 or back is None or wanted is None or not plain or source is None:
            continue
        if attribute(node, "transB", 0):
            kernel = kernel.T
        shape = [size_of(size, source, axis) for axis, size in enumerate(sizes(source) or ())]
        if rank(node.inputs[0]) != 2 or len(shape) < 3 or shape[-1] != Size(kernel.shape[0]):
            continue
        rows = math.prod(shape[:-1], start=Size(1))
        result = reshaped(wanted, [rows, Size(kernel.shape[1])])
        lead = len(shape) - 1
        if (
            result is None
            or result[:lead] != shape[:-1]
            or math.prod(result[lead:], start=Size(1)) != Size(kernel.shape[1])
        ):
            continue
        weights = add_constant(model, kernel) if attribute(node, "transB", 0) else node.inputs[1]
        chain = [ir.node("MatMul", [source, weights], name=node.name)]
        if bias is not None:
            chain.append(ir.node("Add", [chain[-1].outputs[0], bias], name=node.name))
        if result[lead:] != [Size(kernel.shape[1])]:
            split = [0] * lead + [size.factor for size in result[lead:]]
            constants = add_constant(model, np.array(split, np.int64))
            chain.append(ir.node("Reshape", [chain[-1].outputs[0], constants], name=back.name))
        for between in chain[:-1]:
            between.outputs[0].type = back.outputs[0].type
            between.outputs[0].shape = ir.Shape([*(sizes(source) or ())[:-1], kernel.shape[1]])
            model.graph.insert_before(back, between)
        replace(model, [node, back], chain[-1])
        made += 1
    return made


def _before_reshapes(value: ir.Value | None) -> ir.Value | None:
    """Return what a value was before it was reshaped, if it was."""
    source = value
    while source is not None and (node := source.producer()) is not None and node.op_type in _RESHAPES:
        source = node.inputs[0]
    return None if source is value else source
