"""Depthwise convolutions of a number of channels that kernels take: channels of zeros are added, and read by nobody.

ONNX Runtime's kernel for depthwise convolutions of int8 takes channels by 16 (onnxruntime/core/mlas/lib, convsym.cpp:
MlasConvDepthwise and MlasConvSymDepthwise); others go a general way, several times as slow.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, nodes_of, only_consumer
from edgeconv.conversion.graph.qdq import (
    QUANTIZE,
    Scale,
    dequantizer_before,
    dequantizer_behind,
    quantizer_behind_activation,
    scale_of,
)
from edgeconv.conversion.int8.forms.convolution import Convolution, convolution_of
from edgeconv.conversion.int8.forms.nodes import dequantize

BY = 16
"""Channels that the kernel takes at once; fewer than half as many stay, since most of the work would be on zeros."""


def widen_depthwise(model: ir.Model) -> int:
    """Give depthwise convolutions a multiple of 16 channels, of which the added ones are zero; return how many.

    Cases: a convolution makes the channels, the depthwise one alone reads them, and another one alone reads what that
    makes.

    Args:
        model: a QDQ graph, changed in place.
    """
    widened = 0
    for quantizer in nodes_of(model, QUANTIZE):
        depthwise = convolution_of(quantizer)
        if (
            depthwise is None
            or not _is_depthwise(depthwise)
            or depthwise.groups % BY == 0
            or depthwise.groups < BY // 2
        ):
            continue
        before, behind = _made_by(depthwise), _read_by(quantizer)
        if before is None or behind is None or before.groups != 1 or behind.groups != 1:
            continue
        more = -depthwise.groups % BY
        _write(model, before, more_outputs=more)
        _write(model, depthwise, more_outputs=more)
        depthwise.node.attributes["group"] = ir.AttrInt64("group", depthwise.groups + more)
        _write(model, behind, more_inputs=more)
        widened += 1
    return widened


def _is_depthwise(convolution: Convolution) -> bool:
    return 1 < convolution.groups == len(convolution.kernel) and convolution.kernel.shape[1] == 1


def _made_by(convolution: Convolution) -> Convolution | None:
    """Return the convolution that makes what another one alone reads, or None."""
    maps, read = convolution.maps.tensor, convolution.node.inputs[0]
    quantizer = maps.producer()
    if read is None or quantizer is None or quantizer.op_type != QUANTIZE or dequantizer_behind(maps) is None:
        return None
    return convolution_of(quantizer) if only_consumer(read) is convolution.node else None


def _read_by(quantizer: ir.Node) -> Convolution | None:
    """Return the convolution that alone reads what a QuantizeLinear makes, or None."""
    dequantizer = dequantizer_behind(quantizer.outputs[0])
    node = only_consumer(dequantizer.outputs[0]) if dequantizer is not None else None
    if node is None or node.op_type != "Conv" or dequantizer is None or node.inputs[0] is not dequantizer.outputs[0]:
        return None
    last = quantizer_behind_activation(node.outputs[0])
    found = None if last is None else convolution_of(last)
    return found if found is not None and found.node is node else None


def _write(model: ir.Model, convolution: Convolution, *, more_outputs: int = 0, more_inputs: int = 0) -> None:
    """Give a convolution more channels of zeros."""
    node, scale = convolution.node, _longer(convolution.kernel_scale, more_outputs)
    zero = convolution.kernel_scale.zero_point.reshape(-1)[0]
    kernel = np.pad(convolution.kernel, ((0, more_outputs), (0, more_inputs), (0, 0), (0, 0)), constant_values=zero)
    node.replace_input_with(1, dequantize(model, add_constant(model, kernel), scale, node, axis=0))
    if convolution.bias is None or not more_outputs:
        return
    dequantizer = dequantizer_before(node.inputs[2])
    found = None if dequantizer is None else scale_of(dequantizer)
    if found is None:  # `convolution_of` read it there.
        raise ValueError("the bias must be dequantized from a constant")
    bias = add_constant(model, np.pad(convolution.bias, (0, more_outputs)))
    node.replace_input_with(2, dequantize(model, bias, _longer(found, more_outputs), node, axis=0))


def _longer(scale: Scale, more: int) -> Scale:
    """Return a scale for more channels, like that of the last one."""
    if scale.scale.size == 1:
        return scale
    zero_point = np.broadcast_to(scale.zero_point.reshape(-1), scale.scale.shape)
    return Scale(np.pad(scale.scale, (0, more), "edge"), np.pad(zero_point, (0, more), "edge"))
