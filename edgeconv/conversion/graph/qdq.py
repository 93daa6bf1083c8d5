"""QDQ patterns: which QuantizeLinear and DequantizeLinear stand around a value, on which integers, on which scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import attribute, constant, only_consumer

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
QDQ = frozenset({QUANTIZE, DEQUANTIZE})
ACTIVATIONS = frozenset({"Relu", "Clip"})
"""Operators that the limits of the integers hold, so that runtimes fuse them into the layer before."""


@dataclass(frozen=True)
class Scale:
    """How integers stand for numbers: ``number = scale * (integer - zero_point)``.

    Attributes:
        scale: float32, one number, or one for each channel.
        zero_point: of the same shape, in the type of the integers.
    """

    scale: NDArray[np.float32]
    zero_point: NDArray[Any]

    def equals(self, other: Scale) -> bool:
        """Whether equal integers stand for equal numbers on both, in one type."""
        return (
            self.zero_point.dtype == other.zero_point.dtype
            and np.array_equal(self.scale.reshape(-1), other.scale.reshape(-1))
            and np.array_equal(self.zero_point.reshape(-1), other.zero_point.reshape(-1))
        )

    @property
    def is_of_tensor(self) -> bool:
        """Whether one number holds for the whole tensor."""
        return self.scale.size == 1 and self.zero_point.size == 1


@dataclass(frozen=True)
class Integers:
    """An int8 tensor and its scale.

    Attributes:
        tensor: of integers, constant or not.
        scale: what they stand for.
        axis: that of the channels, where each has its own scale.
    """

    tensor: ir.Value
    scale: Scale
    axis: int

    @property
    def array(self) -> NDArray[Any] | None:
        """The integers, where they are constant."""
        return constant(self.tensor)


def is_quantizer(node: ir.Node | None) -> TypeGuard[ir.Node]:
    """Whether a node is a QuantizeLinear."""
    return node is not None and node.op_type == QUANTIZE and node.domain == ""


def is_dequantizer(node: ir.Node | None) -> TypeGuard[ir.Node]:
    """Whether a node is a DequantizeLinear."""
    return node is not None and node.op_type == DEQUANTIZE and node.domain == ""


def quantizer_behind(value: ir.Value | None) -> ir.Node | None:
    """Return the QuantizeLinear that alone reads a value, or None."""
    node = only_consumer(value) if value is not None else None
    return node if is_quantizer(node) else None


def dequantizer_behind(integers: ir.Value | None) -> ir.Node | None:
    """Return the DequantizeLinear that alone reads integers, or None."""
    node = only_consumer(integers) if integers is not None else None
    return node if is_dequantizer(node) else None


def quantizer_before(integers: ir.Value | None) -> ir.Node | None:
    """Return the QuantizeLinear that makes integers, or None."""
    node = integers.producer() if integers is not None else None
    return node if is_quantizer(node) else None


def dequantizer_before(value: ir.Value | None) -> ir.Node | None:
    """Return the DequantizeLinear that makes a value, or None."""
    node = value.producer() if value is not None else None
    return node if is_dequantizer(node) else None


def before_pair(value: ir.Value | None) -> ir.Value | None:
    """Return the value that a QuantizeLinear and a DequantizeLinear were put behind to make this one, or None."""
    dequantizer = dequantizer_before(value)
    quantizer = quantizer_before(dequantizer.inputs[0]) if dequantizer is not None else None
    return quantizer.inputs[0] if quantizer is not None else None


def scale_of(node: ir.Node) -> Scale | None:
    """Return the constant scale of a QuantizeLinear or a DequantizeLinear, or None; blocks of scales are not read."""
    scale = constant(node.inputs[1]) if len(node.inputs) > 1 else None
    zero_point = constant(node.inputs[2]) if len(node.inputs) > 2 else None
    if scale is None or scale.dtype != np.float32 or attribute(node, "block_size", 0):
        return None
    if zero_point is None:
        stored = constant(node.inputs[0])
        if len(node.inputs) > 2 and node.inputs[2] is not None:
            return None
        if is_dequantizer(node) and stored is None:
            return None
        zero_point = np.zeros(scale.shape, np.uint8 if stored is None else stored.dtype)
    return Scale(scale, zero_point)


def dequantized(value: ir.Value | None) -> Integers | None:
    """Return the integers that a float value is read from, or None."""
    node = dequantizer_before(value)
    if node is None or node.inputs[0] is None:
        return None
    scale = scale_of(node)
    return None if scale is None else Integers(node.inputs[0], scale, attribute(node, "axis", 1))


def activation(value: ir.Value | None) -> Integers | None:
    """Return the integers of a float value that is no constant and has one scale of 8 bits, or None."""
    found = dequantized(value)
    if found is None or found.array is not None or not found.scale.is_of_tensor:
        return None
    return found if found.scale.zero_point.dtype in (np.uint8, np.int8) else None


def before_activation(quantizer: ir.Node) -> ir.Value | None:
    """Return the value that a QuantizeLinear reads, past a ReLU or a Clip that its own limits hold already.

    Cases: a ReLU where zero is the lowest integer; a Clip from zero to a number that is the highest integer, or above.
    """
    value, scale = quantizer.inputs[0], scale_of(quantizer)
    node = value.producer() if value is not None else None
    if value is None or node is None or scale is None or not scale.is_of_tensor or only_consumer(value) is None:
        return value
    limits = np.iinfo(scale.zero_point.dtype)
    if node.domain != "" or int(scale.zero_point.item()) != limits.min or node.inputs[0] is None:
        return value
    if node.op_type == "Relu":
        return node.inputs[0]
    if node.op_type == "Clip" and len(node.inputs) == 3:
        low, high = constant(node.inputs[1]), constant(node.inputs[2])
        if low is not None and high is not None and low.item() == 0:
            top = np.rint(np.float32(high.item()) / np.float32(scale.scale.item())) + limits.min
            return node.inputs[0] if top >= limits.max else value
    return value


def quantizer_behind_activation(value: ir.Value) -> ir.Node | None:
    """Return the QuantizeLinear that alone reads a value, or alone reads what an activation makes of it, or None."""
    node = only_consumer(value)
    return quantizer_behind(node.outputs[0] if node is not None and node.op_type in ACTIVATIONS else value)


def dequantizers(nodes: Iterable[onnx.NodeProto]) -> dict[str, onnx.NodeProto]:
    """Return each DequantizeLinear of a graph by the name of what it makes."""
    return {node.output[0]: node for node in nodes if node.op_type == DEQUANTIZE}


def dequantized_names(nodes: Iterable[onnx.NodeProto]) -> dict[str, str]:
    """Return the name behind a QuantizeLinear and a DequantizeLinear by the name before them."""
    nodes = list(nodes)
    quantized = {node.output[0]: node.input[0] for node in nodes if node.op_type == QUANTIZE}
    return {quantized[node.input[0]]: name for name, node in dequantizers(nodes).items() if node.input[0] in quantized}
