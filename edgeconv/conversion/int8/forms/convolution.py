"""A quantized convolution, read out of its DequantizeLinear, Conv and QuantizeLinear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import attribute
from edgeconv.conversion.graph.qdq import Integers, Scale, activation, before_activation, dequantized, scale_of

_BIAS_TOLERANCE = 1e-5
"""Relative; a quantizer rounds the product of two scales once, in single precision."""


@dataclass(frozen=True)
class Convolution:
    """A convolution of maps (batch, channels, height, width) in integers.

    Attributes:
        node: the Conv.
        quantizer: the QuantizeLinear behind it; an activation between them is held by its limits.
        maps: what the convolution reads.
        kernel: int8 or uint8, (outputs, channels / groups, height, width).
        kernel_scale: one, or one for each output; all zero points are equal.
        bias: int32, (outputs,), on the scale of the sums, or None.
        strides: of rows and columns.
        pads: top, left, bottom, right.
        dilations: of rows and columns.
        groups: of channels.
        result: the scale of what the quantizer makes.
    """

    node: ir.Node
    quantizer: ir.Node
    maps: Integers
    kernel: NDArray[Any]
    kernel_scale: Scale
    bias: NDArray[np.int32] | None
    strides: tuple[int, int]
    pads: tuple[int, int, int, int]
    dilations: tuple[int, int]
    groups: int
    result: Scale


def convolution_of(quantizer: ir.Node) -> Convolution | None:
    """Return the convolution that a QuantizeLinear ends, or None if it is not one, or not one of two dimensions."""
    value = before_activation(quantizer)
    node = value.producer() if value is not None else None
    if node is None or node.op_type != "Conv" or node.domain != "" or len(node.outputs[0].uses()) != 1:
        return None
    maps, weights, result = activation(node.inputs[0]), dequantized(node.inputs[1]), scale_of(quantizer)
    kernel = None if weights is None else weights.array
    if maps is None or weights is None or kernel is None or kernel.ndim != 4 or result is None:
        return None
    if not result.is_of_tensor or result.zero_point.dtype != maps.scale.zero_point.dtype:
        return None
    if kernel.dtype not in (np.int8, np.uint8) or len(np.unique(weights.scale.zero_point)) != 1:
        return None
    if maps.scale.zero_point.dtype == np.int8 and kernel.dtype != np.int8:
        return None
    if weights.scale.scale.size not in (1, len(kernel)) or (weights.scale.scale.size > 1 and weights.axis != 0):
        return None
    bias = None
    if len(node.inputs) > 2 and node.inputs[2] is not None:
        bias = integer_bias(node.inputs[2], maps.scale, weights.scale, len(kernel))
        if bias is None:
            return None
    if attribute(node, "auto_pad", "NOTSET") != "NOTSET":
        return None
    return Convolution(
        node,
        quantizer,
        maps,
        kernel,
        weights.scale,
        bias,
        _pair(attribute(node, "strides", (1, 1))),
        _four(attribute(node, "pads", (0, 0, 0, 0))),
        _pair(attribute(node, "dilations", (1, 1))),
        attribute(node, "group", 1),
        result,
    )


def integer_bias(value: ir.Value, maps: Scale, weights: Scale, outputs: int) -> NDArray[np.int32] | None:
    """Return a bias as what is added to the sums of products, or None where it is not on their scale."""
    found = dequantized(value)
    bias = None if found is None else found.array
    if found is None or bias is None or bias.dtype != np.int32 or bias.shape != (outputs,):
        return None
    product = np.broadcast_to(maps.scale.reshape(-1) * weights.scale.reshape(-1), outputs)
    fits = np.allclose(np.broadcast_to(found.scale.scale.reshape(-1), outputs), product, rtol=_BIAS_TOLERANCE, atol=0)
    return bias if fits and not found.scale.zero_point.any() else None


def _pair(numbers: tuple[int, ...]) -> tuple[int, int]:
    return numbers[0], numbers[1]


def _four(numbers: tuple[int, ...]) -> tuple[int, int, int, int]:
    return numbers[0], numbers[1], numbers[2], numbers[3]
