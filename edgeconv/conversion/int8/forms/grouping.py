"""The first convolution of a picture in blocks, and the max-pool behind it as a maximum over what a block makes.

All in standard operators of a QDQ graph, and equal in every integer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, nodes_of, only_consumer, sizes
from edgeconv.conversion.graph.qdq import (
    QUANTIZE,
    Scale,
    dequantizer_before,
    dequantizer_behind,
    quantizer_behind,
    scale_of,
)
from edgeconv.conversion.int8.forms.blocking import Choice, ConvolutionShape
from edgeconv.conversion.int8.forms.blocks import Blocked, Grouping, blocked
from edgeconv.conversion.int8.forms.convolution import Convolution, convolution_of
from edgeconv.conversion.int8.forms.layouts import TO_FIRST, TO_LAST, channels_last, reshaped, transposed
from edgeconv.conversion.int8.forms.nodes import add_node, dequantize, quantize
from edgeconv.conversion.int8.forms.receptive_field import part_read

FEW_CHANNELS = 4
"""Input channels up to which a convolution is worth taking in blocks: with more, pixels are long runs themselves."""


@dataclass(frozen=True)
class _Pool:
    window: tuple[int, int]
    quantizer: ir.Node


def group_outputs(model: ir.Model, choice: Choice) -> int:
    """Let convolutions of few channels make several pixels at each position; return how many are changed.

    A max-pool behind, whose windows meet and do not overlap, is folded: its windows are the groups.

    Args:
        model: a QDQ graph, changed in place; its shapes are inferred.
        choice: of the groups.
    """
    changed = 0
    for quantizer in nodes_of(model, QUANTIZE):
        convolution = convolution_of(quantizer)
        if convolution is None or convolution.kernel.shape[1] > FEW_CHANNELS or convolution.groups != 1:
            continue
        size = sizes(convolution.maps.tensor)
        if convolution.dilations != (1, 1) or size is None or len(size) != 4 or _is_of_patches(convolution):
            continue
        height, width = size[2], size[3]
        if not isinstance(height, int) or not isinstance(width, int):
            continue
        pool = _pool_behind(quantizer, convolution.result)
        shape = ConvolutionShape(
            len(convolution.kernel), convolution.strides[1], (1, 1) if pool is None else pool.window
        )
        last = quantizer if pool is None else pool.quantizer
        part = _part_read(last.outputs[0])
        for grouping in choice.groupings(shape):
            if grouping == Grouping():
                continue
            new = _in_blocks(convolution, grouping, (height, width), part)
            if new is not None:
                _rewrite(model, convolution, pool, grouping, new, (height, width))
                changed += 1
                break
    return changed


def _in_blocks(
    convolution: Convolution, grouping: Grouping, size: tuple[int, int], part: tuple[int, int] | None
) -> Blocked | None:
    zero = int(convolution.kernel_scale.zero_point.reshape(-1)[0])
    strides, pads = convolution.strides, convolution.pads
    return blocked(convolution.kernel, zero, size, strides, pads, grouping, part)


def _is_of_patches(convolution: Convolution) -> bool:
    """Whether positions share no column, of which each reads four or more: blocks of them would be mostly zeros."""
    columns = int(convolution.kernel.shape[3])
    return 4 <= columns <= convolution.strides[1]


def _part_read(maps: ir.Value) -> tuple[int, int] | None:
    """Return how many rows and columns of a map are read, or None where that is not known."""
    reader, size = dequantizer_behind(maps), sizes(maps)
    if reader is None or size is None or len(size) != 4:
        return None
    height, width = size[2], size[3]
    if not isinstance(height, int) or not isinstance(width, int):
        return None
    return part_read(reader, (height, width))


def _pool_behind(quantizer: ir.Node, result: Scale) -> _Pool | None:
    """Return the max-pool that alone reads what a QuantizeLinear makes, if its windows tile and its scale is equal."""
    dequantizer = dequantizer_behind(quantizer.outputs[0])
    if dequantizer is None:
        return None
    pool = only_consumer(dequantizer.outputs[0])
    read = scale_of(dequantizer)
    if pool is None or pool.op_type != "MaxPool" or pool.domain != "" or read is None or len(pool.outputs) != 1:
        return None
    behind = quantizer_behind(pool.outputs[0])
    scale = None if behind is None else scale_of(behind)
    window = tuple(attribute(pool, "kernel_shape", ()))
    plain = (
        len(window) == 2
        and tuple(attribute(pool, "strides", (1, 1))) == window
        and not any(attribute(pool, "pads", (0,)))
        and set(attribute(pool, "dilations", (1,))) == {1}
        and not attribute(pool, "ceil_mode", 0)
        and attribute(pool, "auto_pad", "NOTSET") in {"NOTSET", "VALID"}
    )
    if behind is None or scale is None or not (plain and read.equals(result) and scale.equals(result)):
        return None
    return _Pool((window[0], window[1]), behind)


def _rewrite(
    model: ir.Model,
    convolution: Convolution,
    pool: _Pool | None,
    grouping: Grouping,
    new: Blocked,
    size: tuple[int, int],
) -> None:
    node, outputs = convolution.node, len(convolution.kernel)
    pixels = channels_last(model, convolution.maps.tensor, node)
    if grouping.view > 1:
        channels = convolution.kernel.shape[1]
        pixels = reshaped(model, pixels, (-1, size[0], size[1] // grouping.view, grouping.view * channels), node)
    maps = dequantize(model, transposed(model, pixels, TO_FIRST, node), convolution.maps.scale, node)
    weights = _repeated(convolution.kernel_scale, grouping.outputs)
    inputs = [maps, dequantize(model, add_constant(model, new.kernel), weights, node, axis=0)]
    if convolution.bias is not None:
        # Not the product: it would be rounded again, and must stay what the quantizer wrote.
        bias = _repeated(_scale_of_bias(convolution), grouping.outputs)
        constant = add_constant(model, np.tile(convolution.bias, grouping.outputs))
        inputs.append(dequantize(model, constant, bias, node, axis=0))
    attributes = {"kernel_shape": new.kernel.shape[2:], "strides": new.strides, "pads": new.pads}
    result = add_node(model, node, "Conv", inputs, attributes)
    result = quantize(model, result, convolution.result, convolution.quantizer)
    last, (rows, columns) = convolution.quantizer, new.positions
    integers = ir.TensorType(ir.DataType.from_numpy(convolution.result.zero_point.dtype))
    result.type, result.shape = integers, ir.Shape([None, outputs * grouping.outputs, rows, columns])
    if pool is not None:
        # The windows of a position lie side by side as channels: the maximum of all of them is one step.
        window, channels = grouping.rows * grouping.columns, grouping.windows * outputs
        result = _side_by_side(model, result, (rows, columns * window, channels), last)
        last = pool.quantizer
        result = dequantize(model, result, convolution.result, last)
        result = add_node(model, last, "MaxPool", [result], {"kernel_shape": (1, window), "strides": (1, window)})
        result = quantize(model, result, convolution.result, last)
        result.type, result.shape = integers, ir.Shape([None, channels, rows, columns])
    if grouping.windows > 1:
        result = _side_by_side(model, result, (rows, columns * grouping.windows, outputs), last)
    old = last.outputs[0]
    result.type = old.type
    ir.convenience.replace_all_uses_with(old, result)


def _side_by_side(model: ir.Model, maps: ir.Value, size: tuple[int, int, int], before: ir.Node) -> ir.Value:
    """Return a map in which channels have become columns: of another height, width and number of channels."""
    pixels = reshaped(model, transposed(model, maps, TO_LAST, before), (-1, *size), before)
    return transposed(model, pixels, TO_FIRST, before)


def _scale_of_bias(convolution: Convolution) -> Scale:
    dequantizer = dequantizer_before(convolution.node.inputs[2])
    found = None if dequantizer is None else scale_of(dequantizer)
    if found is None:  # `convolution_of` read it there.
        raise ValueError("the bias must be dequantized from a constant")
    outputs = len(convolution.kernel)
    return replace(
        found,
        scale=np.broadcast_to(found.scale.reshape(-1), outputs).copy(),
        zero_point=np.broadcast_to(found.zero_point.reshape(-1), outputs).copy(),
    )


def _repeated(scale: Scale, times: int) -> Scale:
    if scale.scale.size == 1:
        return scale
    zero_point = np.broadcast_to(scale.zero_point.reshape(-1), scale.scale.shape)
    return Scale(np.tile(scale.scale, times), np.tile(zero_point, times))
