"""Weights in whole steps behind a DequantizeLinear: a scale for each output channel in 8 bits, for each block in 4.

Channels are opset 13's, blocks and int4 are opset 21's. Kernels of convolutions are flattened into rows for their
blocks, and reshaped behind.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.qdq import DEQUANTIZE
from edgeconv.conversion.weights_only.constants import Weights

BLOCK = 32
"""Weights in a row that share a scale in 4 bits: with the scale they take 5 bits each. As llama.cpp's Q4_0 has it."""

HIGHEST = {8: 127, 4: 7}
"""Steps from zero to the largest weight."""


@dataclass(frozen=True)
class Steps:
    """Weights as they are stored.

    Attributes:
        weights: the constant.
        bits: 8 or 4.
        steps: whole numbers; of 8 bits shaped as the weights, of 4 bits in rows, (outputs, width).
        scale: of 8 bits (channels,), of 4 bits (outputs, blocks).
    """

    weights: Weights
    bits: int
    steps: NDArray[np.int8]
    scale: NDArray[np.float32]

    @property
    def values(self) -> NDArray[np.float32]:
        """What DequantizeLinear makes of them, shaped as the weights."""
        if self.bits == 8:
            shape = [-1 if axis == self.weights.axis else 1 for axis in range(self.steps.ndim)]
            return (self.steps * self.scale.reshape(shape)).astype(np.float32)
        rows = (self.steps * spread(self.scale, self.steps.shape[1])).astype(np.float32)
        layout = self.weights.layout
        return rows if layout is None else layout.as_stored(rows.reshape(layout.groups, -1, layout.width))


def nearest(weights: Weights, bits: int) -> Steps:
    """Return weights in their nearest steps; in 4 bits only those whose rows are known, and at least a block long."""
    if bits == 8 or not takes_blocks(weights):
        others = tuple(axis for axis in range(weights.array.ndim) if axis != weights.axis)
        scale = _scale(np.abs(weights.array).max(axis=others), 8)
        shape = [-1 if axis == weights.axis else 1 for axis in range(weights.array.ndim)]
        return Steps(weights, 8, np.rint(weights.array / scale.reshape(shape)).astype(np.int8), scale)
    rows = rows_of(weights)
    scale = block_scales(rows)
    steps = np.clip(np.rint(rows / spread(scale, rows.shape[1])), -HIGHEST[4], HIGHEST[4])
    return Steps(weights, 4, steps.astype(np.int8), scale)


def takes_blocks(weights: Weights) -> bool:
    """Whether weights can be stored in blocks of 4 bits: a depthwise kernel of 3 x 3 has too few of them."""
    return weights.layout is not None and weights.layout.width >= BLOCK


def rows_of(weights: Weights) -> NDArray[np.float32]:
    """Return weights as (outputs, width)."""
    rows = weights.array if weights.layout is None else weights.layout.as_rows(weights.array)
    return rows.reshape(-1, rows.shape[-1])


def block_scales(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a scale for each block, (outputs, blocks)."""
    blocks = -(-rows.shape[1] // BLOCK)
    padded = np.pad(np.abs(rows), [(0, 0), (0, blocks * BLOCK - rows.shape[1])])
    return _scale(padded.reshape(len(rows), blocks, BLOCK).max(axis=2), 4)


def spread(scale: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the scale of each weight in rows of a width, of (outputs, blocks)."""
    return np.repeat(scale, BLOCK, axis=1)[:, :width]


def with_steps(fp32: onnx.ModelProto, stored: Collection[Steps], *, once: bool = False) -> onnx.ModelProto:
    """Return a model whose weights are stored in steps; all else stays, the names of its nodes and values included.

    Args:
        fp32: of an opset that has what is stored: 13 for 8 bits, 21 for 4.
        stored: instead of the constants of their names.
        once: make floats of 8 bits by operators that ONNX Runtime computes while it opens the file; it keeps a
            DequantizeLinear for each call, since another operator may take the integers.
    """
    model = onnx.ModelProto()
    model.CopyFrom(fp32)
    graph, gone = model.graph, {steps.weights.name for steps in stored}
    kept = [tensor for tensor in graph.initializer if tensor.name not in gone]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    used, nodes = {node.name for node in graph.node}, list[onnx.NodeProto]()
    for steps in stored:
        layer = next((layer_of_named(node.name) for node in graph.node if steps.weights.name in node.input), None)
        nodes += _dequantized(graph, steps, layer or steps.weights.name, used, once=once)
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _dequantized(
    graph: onnx.GraphProto, steps: Steps, layer: str, used: set[str], *, once: bool
) -> list[onnx.NodeProto]:
    """Add what weights are stored as, and return the nodes that make floats of them."""
    name, layout = steps.weights.name, steps.weights.layout
    integers, scale = f"{name}/steps", f"{name}/scale"
    if steps.bits == 8 and once:
        floats, along = f"{name}/float", [-1 if axis == steps.weights.axis else 1 for axis in range(steps.steps.ndim)]
        graph.initializer.extend([from_array(steps.steps, integers), from_array(steps.scale.reshape(along), scale)])
        return [
            _named("Cast", [integers], floats, layer, used, to=TensorProto.FLOAT),
            _named("Mul", [floats, scale], name, layer, used),
        ]
    if steps.bits == 8 or layout is None:
        # Where ONNX Runtime recodes weights, for processors without VNNI, it makes up one zero point for all scales.
        zero = f"{name}/zero"
        zeros = np.zeros(steps.scale.shape, np.int8)
        arrays: dict[str, NDArray[Any]] = {integers: steps.steps, scale: steps.scale, zero: zeros}
        graph.initializer.extend(from_array(array, key) for key, array in arrays.items())
        options = {"axis": steps.weights.axis}
        return [_named(DEQUANTIZE, [integers, scale, zero], name, layer, used, **options)]
    in_columns = layout.node.op_type != "Conv" and not layout.in_rows
    whole, blocks = (steps.steps.T, steps.scale.T) if in_columns else (steps.steps, steps.scale)
    graph.initializer.extend([_int4(whole, integers), from_array(np.ascontiguousarray(blocks), scale)])
    options = {"axis": 0 if in_columns else 1, "block_size": BLOCK}
    if layout.node.op_type != "Conv":
        return [_named(DEQUANTIZE, [integers, scale], name, layer, used, **options)]
    rows, shape = f"{name}/rows", f"{name}/shape"
    graph.initializer.append(from_array(np.array(steps.weights.array.shape), shape))
    return [
        _named(DEQUANTIZE, [integers, scale], rows, layer, used, **options),
        _named("Reshape", [rows, shape], name, layer, used),
    ]


def _named(operator: str, inputs: list[str], output: str, layer: str, used: set[str], **options: Any) -> onnx.NodeProto:
    name = f"{layer}/{operator}"
    while name in used:
        name += "'"
    used.add(name)
    return helper.make_node(operator, inputs, [output], name, **options)


def _scale(largest: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Return the scale of channels or blocks by their largest magnitude; 1 where all is zero."""
    scale = largest.astype(np.float64) / HIGHEST[bits]
    return np.where(scale < np.finfo(np.float32).tiny, 1.0, scale).astype(np.float32)


def _int4(steps: NDArray[np.int8], name: str) -> onnx.TensorProto:
    """Return a constant of 4 bits: two in a byte, the first in the lower half."""
    flat = np.zeros(2 * math.ceil(steps.size / 2), np.uint8)
    flat[: steps.size] = np.ascontiguousarray(steps).ravel().view(np.uint8) & 15
    return TensorProto(
        name=name, data_type=TensorProto.INT4, dims=steps.shape, raw_data=(flat[::2] | flat[1::2] << 4).tobytes()
    )
