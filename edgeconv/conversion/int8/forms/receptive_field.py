"""The receptive field of the nodes behind a map: a pool without padding ignores what does not fill its window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx_ir as ir

from edgeconv.conversion.graph.editing import attribute, only_consumer, sizes
from edgeconv.conversion.graph.qdq import ACTIVATIONS, QDQ, quantizer_behind_activation

_POINTWISE = ACTIVATIONS | QDQ


@dataclass(frozen=True)
class _KernelWindow:
    """The window of one node, on each of its two axes: stride, extent of the dilated kernel, pads."""

    strides: tuple[int, int]
    extent: tuple[int, int]
    pads: tuple[int, int, int, int]


def part_read(dequantizer: ir.Node, size: tuple[int, int]) -> tuple[int, int] | None:
    """Return the rows and columns of a map that an answer depends on, or None where that is not known.

    Args:
        dequantizer: alone reads the map.
        size: its height and width.
    """
    return _needed(_chain(dequantizer), size)


def _chain(start: ir.Node) -> list[_KernelWindow]:
    """Return the steps behind a node, as far as one node alone reads what the last one makes."""
    steps: list[_KernelWindow] = []
    value = start.outputs[0]
    while (node := only_consumer(value)) is not None and node.domain == "" and node.inputs[0] is value:
        if node.op_type in {"Conv", "MaxPool"}:
            step = _window_of(node)
            # What is made of a part is quantized and read on, or the walk ends here.
            if step is None or len(node.outputs) != 1 or quantizer_behind_activation(node.outputs[0]) is None:
                break
            steps.append(step)
        elif node.op_type not in _POINTWISE:
            break
        value = node.outputs[0]
    return steps


def _window_of(node: ir.Node) -> _KernelWindow | None:
    window = (sizes(node.inputs[1]) or ())[2:] if node.op_type == "Conv" else attribute(node, "kernel_shape", ())
    dilations = attribute(node, "dilations", (1, 1))
    strides = attribute(node, "strides", (1, 1))
    if len(window) != 2 or not all(isinstance(length, int) for length in window):
        return None
    if attribute(node, "auto_pad", "NOTSET") != "NOTSET" or attribute(node, "ceil_mode", 0):
        return None
    top, left, bottom, right = attribute(node, "pads", (0, 0, 0, 0))
    extent = [dilation * (int(length) - 1) + 1 for dilation, length in zip(dilations, window, strict=True)]
    return _KernelWindow((strides[0], strides[1]), (extent[0], extent[1]), (top, left, bottom, right))


def _needed(steps: Sequence[_KernelWindow], size: tuple[int, int]) -> tuple[int, int] | None:
    """Return the height and width that all steps together read, or None where the picture is read whole.

    Where a step pads the end of its input, a part of that input would be padded in another place: from there back
    to the picture everything is needed.
    """
    found = []
    for axis in (0, 1):
        lengths = [size[axis]]
        for step in steps:
            padded = lengths[-1] + step.pads[axis] + step.pads[axis + 2]
            lengths.append((padded - step.extent[axis]) // step.strides[axis] + 1)
        if min(lengths) < 1:
            return None
        needed = lengths[-1]
        for step, length in zip(reversed(steps), reversed(lengths[:-1]), strict=True):
            needed = (needed - 1) * step.strides[axis] + step.extent[axis] - step.pads[axis]
            needed = length if step.pads[axis + 2] else needed
            if needed > length or needed < 1:
                return None
        found.append(needed)
    return found[0], found[1]
