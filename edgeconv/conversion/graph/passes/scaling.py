"""The scaling of pixels, folded into the first layer: raw pixels meet weights that expect them.

``Conv(x * scale + offset)`` is ``Conv'(x)`` with the kernel times `scale`, and the bias plus `offset` times the sum
of the kernel. A Conv that pads needs the offset before it, since the padding is zero after the offset, and would be
zero before it: of ``x * scale + offset`` there remains ``x + offset / scale``, one node instead of two.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import (
    add_constant,
    attribute,
    constant,
    constant_floats,
    drop,
    nodes_of,
    only_consumer,
    rank,
    sizes,
)
from edgeconv.conversion.graph.passes.affine import Affine, Array, affine_of, by_channel

_LAYOUT_ONLY = {"Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze"}


def fold_scaling(model: ir.Model) -> int:
    """Fold what scales and shifts the input of a layer into its weights; return how many nodes went.

    Cases: Conv, Gemm and MatMul; one number, or one for each of the layer's input channels; behind it only operators
    that move values. What normalizes rows by their own mean (LayerNormalization) keeps its scale and shift.
    """
    return sum(_fold_before(model, layer) for layer in nodes_of(model, "Conv", "Gemm", "MatMul"))


def _fold_before(model: ir.Model, layer: ir.Node) -> int:
    kernel = constant(layer.inputs[1])
    if kernel is None or kernel.dtype.kind != "f" or (layer.op_type == "MatMul" and kernel.ndim != 2):
        return 0
    if attribute(layer, "transA", 0) or attribute(layer, "alpha", 1.0) != 1.0 or attribute(layer, "beta", 1.0) != 1.0:
        return 0
    found = _before(layer, _input_channels(layer, kernel))
    if not found.nodes:
        return 0
    bias = constant_floats(layer.inputs[2]) if len(layer.inputs) > 2 and layer.inputs[2] is not None else None
    fixed_bias = len(layer.inputs) > 2 and layer.inputs[2] is not None and bias is None
    shifts = bool(found.shift.any())
    keeps_shift = shifts and (fixed_bias or _pads(layer) or layer.op_type == "MatMul")
    if keeps_shift and (len(found.nodes) == 1 or not found.scale.all() or found.shift.size != 1):
        return 0
    scale, shift = (_over_kernel(layer, kernel, array) for array in (found.scale, found.shift))
    layer.replace_input_with(1, add_constant(model, kernel * scale.astype(kernel.dtype)))
    if shifts and not keeps_shift:
        summed = (kernel * shift).sum(axis=_summed_axes(layer, kernel))
        layer.resize_inputs(3)
        layer.replace_input_with(
            2, add_constant(model, ((0.0 if bias is None else bias) + summed).astype(kernel.dtype))
        )
    first = found.nodes[0]
    source = next(value for value in first.inputs if value is not None and not value.is_initializer())
    if keeps_shift:
        # An axis for each of the source's: on maps of one channel ONNX Runtime 1.32 takes seven times as long without.
        offset = (found.shift / found.scale).astype(kernel.dtype).reshape((1,) * (rank(source) or 0))
        add = ir.node("Add", [source, add_constant(model, offset)])
        add.name, add.outputs[0].type, add.outputs[0].shape = first.name, source.type, source.shape
        model.graph.insert_before(first, add)
        for use in list(source.uses()):
            if use.node is first:
                first.replace_input_with(use.idx, add.outputs[0])
        source = add.outputs[0]
    for node in found.nodes:
        drop(model, node, next(value for value in node.inputs if value is not None and not value.is_initializer()))
    return len(found.nodes) - keeps_shift


def _before(layer: ir.Node, channels: int) -> Affine:
    """Go up from a layer; return what scales and shifts its input, first node first, for each input channel."""
    last = (rank(layer.inputs[0]) or 0) - 1
    axis: int | None = 1 if layer.op_type == "Conv" else last
    found, value = Affine(), layer.inputs[0]
    while value is not None and only_consumer(value) is not None and (node := value.producer()) is not None:
        if node.op_type in _LAYOUT_ONLY and node.domain == "":
            axis = attribute(node, "perm", ())[axis] if node.op_type == "Transpose" and axis is not None else None
            value = node.inputs[0]
            continue
        operands = [operand for operand in node.inputs if operand is not None and not operand.is_initializer()]
        step = affine_of(node, operands[0]) if len(operands) == 1 and node.op_type != "BatchNormalization" else None
        arrays = None if step is None else _per_channel(step, operands[0], axis, channels)
        if arrays is None:
            break
        found = Affine(arrays[0], arrays[1], (node,)).then(found)
        value = operands[0]
    producer = value.producer() if value is not None else None
    normalizes = producer is not None and producer.op_type in {"Mul", "Div", "LayerNormalization"}
    return Affine() if normalizes else found


def _per_channel(step: Affine, value: ir.Value, axis: int | None, channels: int) -> tuple[Array, Array] | None:
    axes, shape = rank(value), sizes(value)
    arrays = []
    for array in (step.scale, step.shift):
        if array.size == 1 and array.ndim <= (axes or 0):
            arrays.append(array.reshape(()))
        elif axis is None or shape is None or shape[axis] != channels:
            return None
        elif (vector := by_channel(array, axis, axes, channels)) is not None:
            arrays.append(vector)
        else:
            return None
    return arrays[0], arrays[1]


def _input_channels(layer: ir.Node, kernel: NDArray[np.floating]) -> int:
    if layer.op_type == "Conv":
        return int(kernel.shape[1] * attribute(layer, "group", 1))
    return int(kernel.shape[1 if attribute(layer, "transB", 0) else 0])


def _over_kernel(layer: ir.Node, kernel: NDArray[np.floating], array: Array) -> Array:
    """Return what belongs to the input channels as it is broadcast against the kernel."""
    if array.size == 1:
        return array.reshape(())
    if layer.op_type == "Conv":
        groups = attribute(layer, "group", 1)
        by_group = np.repeat(array.reshape(groups, -1), kernel.shape[0] // groups, axis=0)
        return by_group.reshape(*kernel.shape[:2], *(1,) * (kernel.ndim - 2))
    return array if attribute(layer, "transB", 0) else array[:, None]


def _summed_axes(layer: ir.Node, kernel: NDArray[np.floating]) -> tuple[int, ...]:
    if layer.op_type == "Conv":
        return tuple(range(1, kernel.ndim))
    return (1,) if attribute(layer, "transB", 0) else (0,)


def _pads(layer: ir.Node) -> bool:
    explicit = any(attribute(layer, "pads", ()))
    return explicit or attribute(layer, "auto_pad", "NOTSET") not in {"NOTSET", "VALID"}
