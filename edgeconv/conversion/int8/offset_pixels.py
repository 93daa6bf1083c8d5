"""Pixels that are scaled and moved, as to -1..1, before a convolution with a border: they enter it as they are.

An offset cannot be folded into the bias where zeros are put around what is scaled already. In integers the border is
the zero point, a pixel's value like any other: that of the pixel which becomes 0. Where that lies between two, as 127.5
does, the nearest is taken, so that the border is off by half a step at most, for which the bias makes up inside.
Quantizing what was scaled would be off by as much at each pixel.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import add_constant, constant, nodes_of, only_consumer
from edgeconv.conversion.graph.qdq import QUANTIZE, Scale, dequantizer_behind, quantizer_before
from edgeconv.conversion.int8.forms.convolution import Convolution, convolution_of
from edgeconv.conversion.int8.forms.nodes import dequantize, quantize
from edgeconv.conversion.int8.pixel_input import LAYOUT_OPERATORS

PIXELS = Scale(np.array(1, np.float32), np.array(-128, np.int8))
"""Pixels of 0-255 as signed integers, where activations are signed."""


def let_pixels_in(model: ir.Model, scaling: Collection[str]) -> bool:
    """Let pixels into the first convolution as they are, where nodes scale and move all of them alike.

    Args:
        model: a QDQ graph, changed in place.
        scaling: names of the nodes between the Cast of the pixels and the convolution, in their order.

    Returns:
        Whether the scaling is gone.
    """
    for quantizer in nodes_of(model, QUANTIZE) if scaling else ():
        convolution = convolution_of(quantizer)
        way = None if convolution is None else _way_to(convolution, scaling)
        if convolution is None or way is None:
            continue
        cast, moves, factor, offset = way
        zero = round(-offset / factor) if factor > 0 else -1
        if not 0 <= zero <= 255:
            return False
        signed = convolution.maps.scale.zero_point.dtype == np.int8
        value = cast.outputs[0] if signed else model.graph.inputs[0]
        for move in moves:
            move.replace_input_with(0, value)
            value = move.outputs[0]
            value.type = ir.TensorType(ir.DataType.FLOAT if signed else ir.DataType.UINT8)
        _rewrite(model, convolution, value, factor, offset, zero, signed=signed)
        return True
    return False


def _way_to(convolution: Convolution, scaling: Collection[str]) -> tuple[ir.Node, list[ir.Node], float, float] | None:
    """Return the Cast of the pixels, what moves them behind it, their factor and their offset, or None."""
    maps = convolution.maps.tensor
    quantizer, dequantizer = quantizer_before(maps), dequantizer_behind(maps)
    if dequantizer is None or only_consumer(dequantizer.outputs[0]) is not convolution.node:
        return None
    value = quantizer.inputs[0] if quantizer is not None else None
    moves: list[ir.Node] = []
    steps: list[ir.Node] = []
    while value is not None and (node := value.producer()) is not None and node.name in scaling:
        (moves if node.op_type in LAYOUT_OPERATORS else steps).append(node)
        if only_consumer(value) is None:
            return None
        value = node.inputs[0]
    cast = value.producer() if value is not None else None
    if (
        cast is None
        or cast.op_type != "Cast"
        or only_consumer(cast.outputs[0]) is None
        or not steps
        or len(moves) + len(steps) != len(scaling)
    ):
        return None
    factor, offset = 1.0, 0.0
    for step in reversed(steps):
        number = constant(step.inputs[1]) if len(step.inputs) == 2 else None
        if number is None or number.size != 1 or step.op_type not in {"Mul", "Add"}:
            return None
        factor, offset = (
            (factor * number.item(), offset * number.item())
            if step.op_type == "Mul"
            else (factor, offset + number.item())
        )
    return cast, moves[::-1], factor, offset


def _rewrite(
    model: ir.Model,
    convolution: Convolution,
    pixels: ir.Value,
    factor: float,
    offset: float,
    zero: int,
    *,
    signed: bool,
) -> None:
    node, kernel = convolution.node, convolution.kernel
    scale = Scale(np.array(factor, np.float32), np.array(zero - 128, np.int8) if signed else np.array(zero, np.uint8))
    if signed:
        pixels = quantize(model, pixels, PIXELS, node)
    node.replace_input_with(0, dequantize(model, pixels, scale, node))
    weights = np.broadcast_to(convolution.kernel_scale.scale.reshape(-1), len(kernel)).astype(np.float64)
    weight_zero = int(convolution.kernel_scale.zero_point.reshape(-1)[0])
    sums = (kernel.astype(np.int64) - weight_zero).sum(axis=(1, 2, 3))
    old = np.zeros(len(kernel), np.int32) if convolution.bias is None else convolution.bias
    steps = old * (float(convolution.maps.scale.scale.item()) / factor) + sums * ((offset + factor * zero) / factor)
    bias_scale = Scale((factor * weights).astype(np.float32), np.zeros(len(kernel), np.int32))
    bias = dequantize(model, add_constant(model, _int32(steps)), bias_scale, node, axis=0)
    node.resize_inputs(3)
    node.replace_input_with(2, bias)


def _int32(numbers: NDArray[np.float64]) -> NDArray[np.int32]:
    limits = np.iinfo(np.int32)
    return np.rint(numbers).clip(limits.min, limits.max).astype(np.int32)
