"""Activations that TensorFlow spells out, written as the one operator that they are."""

from __future__ import annotations

import math

import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    nodes_of,
    only_consumer,
    opset,
    producer,
    rank,
    replace,
    scalar,
)
from edgeconv.conversion.graph.passes.affine import affine_of

_CLOSE = 1e-6
"""Relative error of 1/6 in single precision, and some room."""


def fuse_hard_sigmoid(model: ir.Model) -> int:
    """Make a HardSigmoid of ``Clip(x * a + b, 0, c) / c``; return how many were made.

    Cases: relu6(x + 3) / 6, as Keras writes hard_sigmoid and hard_swish; and a Clip to 0 and 1 of what is scaled.
    """
    made = 0
    for clip in nodes_of(model, "Clip"):
        bounds = [scalar(value, 0) for value in clip.inputs[1:]]
        if len(bounds) != 2 or bounds[0] != 0.0 or not bounds[1]:
            continue
        chain, value = [clip], clip.inputs[0]
        slope, offset = 1.0, 0.0
        while value is not None and (node := value.producer()) is not None and only_consumer(value) is not None:
            operands = [operand for operand in node.inputs if operand is not None and constant(operand) is None]
            step = affine_of(node, operands[0]) if len(operands) == 1 and node.op_type != "BatchNormalization" else None
            if step is None or step.scale.size * step.shift.size != 1 or not _keeps_rank(node, operands[0]):
                break
            offset += slope * float(step.shift.item())
            slope *= float(step.scale.item())
            chain.insert(0, node)
            value = operands[0]
        behind = only_consumer(clip.outputs[0])
        step = affine_of(behind, clip.outputs[0]) if behind is not None else None
        factor = 1.0
        if bounds[1] != 1.0:
            if step is None or behind is None or step.scale.size != 1 or step.shift.any():
                continue
            factor = float(step.scale.item())
            if not math.isclose(factor * bounds[1], 1.0, rel_tol=_CLOSE) or not _keeps_rank(behind, clip.outputs[0]):
                continue
            chain.append(behind)
        if value is None or len(chain) == 1:
            continue
        attributes = {"alpha": slope * factor, "beta": offset * factor}
        replace(model, chain, ir.node("HardSigmoid", [value], attributes, name=clip.name))
        made += 1
    return made


def fuse_hard_swish(model: ir.Model) -> int:
    """Make a HardSwish of ``x * HardSigmoid(x)`` with a slope of 1/6; return how many were made."""
    made = 0
    for gate in nodes_of(model, "HardSigmoid") if opset(model) >= 14 else ():
        product, source = only_consumer(gate.outputs[0]), gate.inputs[0]
        if product is None or source is None or product.op_type != "Mul":
            continue
        alpha, beta = attribute(gate, "alpha", 0.2), attribute(gate, "beta", 0.5)
        if not (math.isclose(alpha, 1 / 6, rel_tol=_CLOSE) and math.isclose(beta, 0.5, rel_tol=_CLOSE)):
            continue
        if set(product.inputs) == {source, gate.outputs[0]}:
            replace(model, [gate, product], ir.node("HardSwish", [source], name=product.name))
            made += 1
    return made


def fuse_prelu(model: ir.Model) -> int:
    """Make a PRelu of ``Relu(x) + slope * Relu(-x)``, where the slope is minus Keras' alpha; return how many."""
    made = 0
    for add in nodes_of(model, "Add"):
        for positive, scaled in (tuple(add.inputs), tuple(reversed(add.inputs))):
            relu, product = producer(positive, "Relu"), producer(scaled, "Mul")
            if relu is None or product is None:
                continue
            slope, negative = product.inputs if constant(product.inputs[0]) is not None else reversed(product.inputs)
            array, mirrored = constant(slope), producer(negative, "Relu")
            negation = producer(mirrored.inputs[0], "Neg") if mirrored is not None else None
            if array is None or mirrored is None or negation is None or negation.inputs[0] is not relu.inputs[0]:
                continue
            if array.ndim > (rank(relu.inputs[0]) or 0):
                continue
            prelu = ir.node("PRelu", [relu.inputs[0], add_constant(model, -array)])
            replace(model, [negation, mirrored, product, relu, add], prelu)
            made += 1
            break
    return made


def _keeps_rank(node: ir.Node, value: ir.Value) -> bool:
    axes = rank(value)
    return all(
        (operand.const_value is None) or len(operand.const_value.shape) <= (axes or 0)
        for operand in node.inputs
        if operand is not None
    )
