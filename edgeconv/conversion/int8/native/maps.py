"""Convolutions and pools over maps with their channels last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, rank
from edgeconv.conversion.int8.native.convolution import convolution_of
from edgeconv.conversion.int8.native.lowering import Lowering
from edgeconv.conversion.int8.native.qdq import Integers, scale_of, unsigned_activation

_MAX_POOL = {"kernel_shape": (), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "ceil_mode": 0}


def lower_convolution(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write a convolution as QLinearConv: one node, from integers to integers."""
    found = convolution_of(quantizer)
    if found is None or found.maps.scale.zero_point.dtype != np.uint8:
        return False
    pixels = lowering.channels_last(found.maps.tensor, quantizer)
    inputs = [
        pixels,
        *lowering.constants(found.maps.scale),
        # The kernels for one channel a group have nothing to add in pairs: they multiply in 32 bits
        # (MlasConvSymDepthwiseKernelAvx2), and are the faster ones with signed weights.
        *lowering.weights(found.kernel, found.kernel_scale, pairs=found.kernel.shape[:2] != (found.groups, 1)),
        *lowering.constants(found.result),
    ]
    if found.bias is not None:
        inputs.append(add_constant(lowering.model, found.bias))
    attributes: dict[str, int | Sequence[int]] = {
        "channels_last": 1,
        "group": found.groups,
        "kernel_shape": found.kernel.shape[2:],
        "strides": found.strides,
        "pads": found.pads,
        "dilations": found.dilations,
    }
    result = lowering.node(quantizer, "QLinearConv", inputs, attributes)
    lowering.settle(quantizer, result, channels_last=True)
    return True


def lower_max_pool(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write a max-pool on one scale as NhwcMaxPool: the largest integer is that of the largest number."""
    node, maps = _pool(quantizer, "MaxPool")
    result = scale_of(quantizer)
    if node is None or maps is None or result is None or not result.equals(maps.scale):
        return False
    if len(node.outputs) != 1 or len(attribute(node, "kernel_shape", ())) != 2 or attribute(node, "storage_order", 0):
        return False
    if attribute(node, "auto_pad", "NOTSET") != "NOTSET":
        return False
    attributes = {name: attribute(node, name, default) for name, default in _MAX_POOL.items()}
    pixels = lowering.channels_last(maps.tensor, quantizer)
    lowering.settle(quantizer, lowering.node(quantizer, "NhwcMaxPool", [pixels], attributes), channels_last=True)
    return True


def lower_average_pool(lowering: Lowering, quantizer: ir.Node) -> bool:
    """Write an average, over windows or over whole maps, as ONNX Runtime's integer pool."""
    result = scale_of(quantizer)
    for operator in ("GlobalAveragePool", "AveragePool"):
        node, maps = _pool(quantizer, operator)
        if node is None or maps is None or result is None or not result.is_of_tensor:
            continue
        if result.zero_point.dtype != maps.scale.zero_point.dtype:
            continue
        attributes: dict[str, int | Sequence[int]] = {"channels_last": 1}
        if operator == "AveragePool":
            if len(attribute(node, "kernel_shape", ())) != 2 or attribute(node, "auto_pad", "NOTSET") != "NOTSET":
                return False
            if set(attribute(node, "dilations", (1,))) != {1}:
                return False
            for name in ("kernel_shape", "strides", "pads", "ceil_mode", "count_include_pad"):
                if name in node.attributes:
                    attributes[name] = attribute(node, name, 0)
        pixels = lowering.channels_last(maps.tensor, quantizer)
        inputs = [pixels, *lowering.constants(maps.scale), *lowering.constants(result)]
        lowering.settle(
            quantizer, lowering.node(quantizer, f"QLinear{operator}", inputs, attributes), channels_last=True
        )
        return True
    return False


def _pool(quantizer: ir.Node, operator: str) -> tuple[ir.Node | None, Integers | None]:
    """Return the pool of two dimensions whose result a QuantizeLinear alone reads, and what it reads."""
    value = quantizer.inputs[0]
    node = value.producer() if value is not None else None
    if value is None or node is None or node.op_type != operator or node.domain != "" or len(value.uses()) != 1:
        return None, None
    maps = unsigned_activation(node.inputs[0])
    return (node, maps) if maps is not None and rank(maps.tensor) == 4 else (None, None)
