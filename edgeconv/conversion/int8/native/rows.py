"""Dense layers, sums of branches and what only moves integers."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, nodes_of, rank, sizes
from edgeconv.conversion.int8.native.convolution import integer_bias
from edgeconv.conversion.int8.native.layouts import add_node
from edgeconv.conversion.int8.native.lowering import Lowering
from edgeconv.conversion.int8.native.qdq import behind_activation, dequantized, scale_of, unsigned_activation

_BINARY = {"Add": "QLinearAdd", "Mul": "QLinearMul"}


def lower_dense(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write a dense layer that is quantized again as QGemm."""
    value, result = behind_activation(quantizer), scale_of(quantizer)
    node = value.producer() if value is not None else None
    if node is None or value is None or len(value.uses()) != 1 or result is None or not result.is_of_tensor:
        return False
    inputs = _dense_inputs(lowering, node)
    if inputs is None or result.zero_point.dtype.name not in {"uint8", "int8"}:
        return False
    output = lowering.node(quantizer, "QGemm", [*inputs, *lowering.constants(result)], _dense_attributes(node))
    lowering.settle(quantizer, output, channels_last=False)
    return True


def lower_last_dense(lowering: Lowering) -> int:
    """Write the dense layers whose float results are read as they are as QGemm with a float output."""
    lowered = 0
    for node in nodes_of(lowering.model, "Gemm"):
        inputs = _dense_inputs(lowering, node)
        if inputs is None:
            continue
        output, old = lowering.node(node, "QGemm", inputs, _dense_attributes(node)), node.outputs[0]
        output.type, output.shape = old.type, old.shape
        if old.is_graph_output():
            output.name = old.name
        ir.convenience.replace_all_uses_with(old, output, replace_graph_outputs=True)
        lowered += 1
    return lowered


def _dense_inputs(lowering: Lowering, node: ir.Node) -> list[ir.Value | None] | None:
    if node.op_type != "Gemm" or node.domain != "" or attribute(node, "transA", 0):
        return None
    rows, weights = unsigned_activation(node.inputs[0]), dequantized(node.inputs[1])
    kernel = None if weights is None else weights.array
    if rows is None or weights is None or kernel is None or rank(rows.tensor) != 2 or kernel.ndim != 2:
        return None
    outputs = 0 if attribute(node, "transB", 0) else 1
    scales = weights.scale.scale.size
    if scales > 1 and (scales != kernel.shape[outputs] or weights.axis % 2 != outputs):
        return None
    if kernel.dtype not in (np.int8, np.uint8) or attribute(node, "alpha", 1.0) != 1.0:
        return None
    inputs: list[ir.Value | None] = [*lowering.quantized(rows), *lowering.weights(kernel, weights.scale)]
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        bias = integer_bias(node.inputs[2], rows.scale, weights.scale, kernel.shape[outputs])
        if bias is None or attribute(node, "beta", 1.0) != 1.0:
            return None
        inputs.append(add_constant(lowering.model, bias))
    else:
        inputs.append(None)
    return inputs


def _dense_attributes(node: ir.Node) -> dict[str, int | float]:
    return {"alpha": 1.0, "transA": 0, "transB": attribute(node, "transB", 0)}


def lower_sum(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write a sum or a product of two tensors of one shape as one node; maps stay in the order they are in."""
    value, result = behind_activation(quantizer), scale_of(quantizer)
    node = value.producer() if value is not None else None
    if node is None or value is None or node.op_type not in _BINARY or node.domain != "" or len(value.uses()) != 1:
        return False
    one, other = unsigned_activation(node.inputs[0]), unsigned_activation(node.inputs[1])
    if one is None or other is None or result is None or not result.is_of_tensor:
        return False
    if len({found.zero_point.dtype for found in (one.scale, other.scale, result)}) != 1:
        return False
    shape, like = sizes(one.tensor), sizes(other.tensor)
    # Not the batch: it is one of all maps, and goes by several names.
    if shape is None or like is None or len(shape) != len(like) or shape[1:] != like[1:]:
        return False
    last = len(shape) == 4 and (lowering.is_channels_last(one.tensor) or lowering.is_channels_last(other.tensor))
    tensors = [lowering.channels_last(found.tensor, quantizer) if last else found.tensor for found in (one, other)]
    inputs = [
        tensors[0], *lowering.constants(one.scale), tensors[1], *lowering.constants(other.scale),
        *lowering.constants(result),
    ]  # fmt: skip
    lowering.settle(quantizer, lowering.node(quantizer, _BINARY[node.op_type], inputs), channels_last=last)
    return True


def lower_concat(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write a concatenation of maps along their channels as QLinearConcat."""
    value, result = quantizer.inputs[0], scale_of(quantizer)
    node = value.producer() if value is not None else None
    if node is None or value is None or node.op_type != "Concat" or node.domain != "" or len(value.uses()) != 1:
        return False
    parts = [unsigned_activation(part) for part in node.inputs]
    if result is None or not result.is_of_tensor or attribute(node, "axis", 0) not in (1, -3):
        return False
    inputs = lowering.constants(result)
    for part in parts:
        if part is None or rank(part.tensor) != 4 or part.scale.zero_point.dtype != result.zero_point.dtype:
            return False
    for part in parts:
        if part is not None:
            pixels = lowering.channels_last(part.tensor, quantizer)
            inputs += [pixels, *lowering.constants(part.scale)]
    lowering.settle(quantizer, lowering.node(quantizer, "QLinearConcat", inputs, {"axis": 3}), channels_last=True)
    return True


def lower_move(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Let integers be reshaped themselves, where the scale is the same before and after."""
    value, result = quantizer.inputs[0], scale_of(quantizer)
    node = value.producer() if value is not None else None
    if node is None or value is None or node.op_type not in {"Reshape", "Flatten", "Squeeze"} or len(value.uses()) != 1:
        return False
    found = unsigned_activation(node.inputs[0])
    if found is None or result is None or node.domain != "" or not result.equals(found.scale):
        return False
    source, before = found.tensor, sizes(found.tensor)
    if before is not None and len(before) == 4 and before[2:] == (1, 1) and lowering.is_channels_last(source):
        after = sizes(quantizer.outputs[0])
        if after is not None and len(after) == 2 and after[1] == before[1]:
            # One pixel for each channel: both orders of axes are one order in memory.
            source = lowering.channels_last(source, quantizer)
            target = add_constant(lowering.model, np.array([-1, before[1]], np.int64))
            rows = add_node(lowering.model, quantizer, "Reshape", [source, target])
            lowering.settle(quantizer, rows, channels_last=False)
            return True
    attributes = {name: item.value for name, item in node.attributes.items()}
    moved = add_node(lowering.model, quantizer, node.op_type, [source, *node.inputs[1:]], attributes)
    lowering.settle(quantizer, moved, channels_last=False)
    return True
