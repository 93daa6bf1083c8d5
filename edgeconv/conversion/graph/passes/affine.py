"""Scales and shifts by constants: batch normalization, Rescaling, Normalization, a Dense layer's bias.

What follows a layer of weights moves into them; what follows something else becomes at most one Mul and one Add.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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
    replace,
    sizes,
)

Array = NDArray[np.float64]
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class Affine:
    """``x * scale + shift``, of arrays that are broadcast against x, and the nodes that compute it."""

    scale: Array = field(default_factory=lambda: np.ones(()))
    shift: Array = field(default_factory=lambda: np.zeros(()))
    nodes: tuple[ir.Node, ...] = ()

    def then(self, after: Affine) -> Affine:
        """Return both, one after the other."""
        shift = self.shift * after.scale + after.shift
        return Affine(self.scale * after.scale, shift, self.nodes + after.nodes)


def affine_of(node: ir.Node, value: ir.Value) -> Affine | None:
    """Return what a node does to a value if that is Mul, Add, Sub, Div by a constant or BatchNormalization, or None."""
    if node.domain != "" or value.is_initializer():
        return None
    if node.op_type == "BatchNormalization" and node.inputs[0] is value:
        found = [constant_floats(parameter) for parameter in node.inputs[1:]]
        axes = rank(value)
        if any(array is None for array in found) or attribute(node, "training_mode", 0) or not axes or axes < 2:
            return None
        scale, shift, mean, variance = (array.reshape(-1, *(1,) * (axes - 2)) for array in found if array is not None)
        factor = scale / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
        return Affine(factor, shift - mean * factor, (node,))
    if node.op_type not in {"Mul", "Add", "Sub", "Div"} or node.inputs[0] is node.inputs[1]:
        return None
    first = node.inputs[0] is value
    other = constant_floats(node.inputs[1 if first else 0])
    if other is None or (node.op_type == "Div" and not (first and np.all(other))):
        return None
    if node.op_type in {"Mul", "Div"}:
        return Affine(other if node.op_type == "Mul" else 1.0 / other, nodes=(node,))
    sign = -1.0 if node.op_type == "Sub" else 1.0
    return Affine(np.array(1.0 if first else sign), other * (sign if first else 1.0), (node,))


def by_channel(array: Array, axis: int, axes: int | None, channels: int) -> Array | None:
    """Return an array that is broadcast against a value of so many axes as (channels,), or None if it is no such."""
    if axes is None or array.ndim > axes:
        return None
    shape = (1,) * (axes - array.ndim) + array.shape
    if any(size not in ((1, channels) if place == axis % axes else (1,)) for place, size in enumerate(shape)):
        return None
    return np.broadcast_to(array.ravel(), (channels,))


def fold_affine_into_layers(model: ir.Model) -> int:
    """Fold what scales and shifts a layer's channels into its weights and bias; return how many nodes went.

    Cases: behind Conv, ConvTranspose and Gemm all of it; behind MatMul, which has no bias, the scale.
    """
    gone = 0
    for layer in nodes_of(model, *_LAYERS):
        kernel = constant(layer.inputs[1])
        if kernel is None or kernel.dtype.kind != "f" or (layer.op_type == "MatMul" and kernel.ndim != 2):
            continue
        axes = rank(layer.outputs[0]) if layer.op_type == "MatMul" else kernel.ndim
        channels = _channels(layer, kernel)
        found = _behind(layer.outputs[0], -1 if layer.op_type in {"MatMul", "Gemm"} else 1, axes, channels)
        keeps_shift = layer.op_type == "MatMul" and bool(np.any(found.shift))
        bias = _bias(layer, channels)
        if len(found.nodes) <= keeps_shift or bias is None:
            continue
        scale = np.broadcast_to(found.scale, (channels,)).astype(kernel.dtype)
        layer.replace_input_with(1, add_constant(model, _scaled(layer, kernel, scale)))
        shift = np.broadcast_to(bias * found.scale + found.shift, (channels,)).astype(kernel.dtype)
        if keeps_shift:
            tail = ir.node("Add", [layer.outputs[0], add_constant(model, shift)], name=found.nodes[-1].name)
        else:
            inputs = [*layer.inputs[:2], *([add_constant(model, shift)] if layer.op_type != "MatMul" else [])]
            tail = ir.Node("", layer.op_type, inputs, layer.attributes.values(), name=layer.name)
            if "beta" in tail.attributes:
                del tail.attributes["beta"]
        replace(model, found.nodes if keeps_shift else [layer, *found.nodes], tail)
        gone += len(found.nodes) - keeps_shift
    return gone


def merge_affine(model: ir.Model) -> int:
    """Make one Mul and one Add, or less, of scales and shifts in a row; return how many nodes went.

    Cases: nodes that change nothing at all, more nodes of a kind than one, a difference, a quotient.
    """
    gone = 0
    for node in nodes_of(model, "Mul", "Add", "Sub", "Div"):
        values = [value for value in node.inputs if value is not None and not value.is_initializer()]
        value = values[0] if len(values) == 1 else None
        if value is None or value.dtype not in {ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.DOUBLE}:
            continue
        found = Affine()
        reader: ir.Node | None = node
        last = value
        while reader is not None and reader.op_type != "BatchNormalization":
            step = affine_of(reader, last)
            if step is None or not all(_spreads_nothing(array, value) for array in (step.scale, step.shift)):
                break
            found = found.then(step)
            last = reader.outputs[0]
            reader = only_consumer(last)
        parts = [
            (kind, array)
            for kind, array, none in (("Mul", found.scale, 1), ("Add", found.shift, 0))
            if np.any(array != none)
        ]
        if len(parts) >= len(found.nodes):
            continue
        source = value
        made = []
        for kind, array in parts:
            operand = add_constant(model, array.astype(value.dtype.numpy()))
            made.append(ir.node(kind, [source, operand], name=found.nodes[0].name))
            source = made[-1].outputs[0]
        gone += _put(model, found.nodes, made, value)
    return gone


def _put(model: ir.Model, old: tuple[ir.Node, ...], new: list[ir.Node], value: ir.Value) -> int:
    if not new:
        if not drop(model, old[-1], value):
            return 0
        model.graph.remove(list(reversed(old[:-1])), safe=True)
        return len(old)
    for node in new[:-1]:
        node.outputs[0].type, node.outputs[0].shape = value.type, value.shape
        model.graph.insert_before(old[-1], node)
    replace(model, old, new[-1])
    return len(old) - len(new)


def _behind(value: ir.Value, axis: int, axes: int | None, channels: int) -> Affine:
    found = Affine()
    while (reader := only_consumer(value)) is not None:
        step = affine_of(reader, value)
        scale = None if step is None else by_channel(step.scale, axis, axes, channels)
        shift = None if step is None else by_channel(step.shift, axis, axes, channels)
        if scale is None or shift is None:
            break
        found = found.then(Affine(scale, shift, (reader,)))
        value = reader.outputs[0]
    return found


def _channels(layer: ir.Node, kernel: NDArray[np.floating]) -> int:
    if layer.op_type == "Gemm" and attribute(layer, "transB", 0):
        return int(kernel.shape[0])
    if layer.op_type == "Conv":
        return int(kernel.shape[0])
    return int(kernel.shape[1] * (attribute(layer, "group", 1) if layer.op_type == "ConvTranspose" else 1))


def _bias(layer: ir.Node, channels: int) -> Array | None:
    """Return what a layer adds to each channel, zero if nothing; None if it adds something else."""
    value = layer.inputs[2] if len(layer.inputs) > 2 else None
    if value is None:
        return np.zeros(channels)
    found = constant_floats(value)
    if found is None:
        return None
    vector = by_channel(found, -1, 2, channels)
    return None if vector is None else vector * attribute(layer, "beta", 1.0)


def _scaled(layer: ir.Node, kernel: NDArray[np.floating], scale: NDArray[np.floating]) -> NDArray[np.floating]:
    if layer.op_type == "ConvTranspose":
        groups = attribute(layer, "group", 1)
        split = kernel.reshape(groups, -1, *kernel.shape[1:])
        return (split * scale.reshape(groups, 1, -1, *(1,) * (kernel.ndim - 2))).reshape(kernel.shape)
    first = layer.op_type == "Conv" or (layer.op_type == "Gemm" and attribute(layer, "transB", 0))
    return kernel * (scale.reshape(-1, *(1,) * (kernel.ndim - 1)) if first else scale)


def _spreads_nothing(array: Array, value: ir.Value) -> bool:
    """Whether an array that is broadcast against a value leaves the value's shape alone."""
    shape = sizes(value)
    if shape is None or array.ndim > len(shape):
        return False
    return all(size in (1, other) for size, other in zip(reversed(array.shape), reversed(shape), strict=False))
