"""The weights of Conv and Gemm in one layout, whatever the operator and its attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import attribute, constant

OPERATORS = ("Conv", "Gemm")
"""Layers whose products int8 speeds up, and that have a bias."""


@dataclass(frozen=True)
class Weights:
    """A layer's weights; groups divide the channels of a grouped or depthwise convolution.

    Attributes:
        node: the layer.
        kernel: float32, (groups, outputs of a group, inputs of a group, taps).
        bias: float32, (groups * outputs of a group,); None if the layer has none.
    """

    node: ir.Node
    kernel: NDArray[Any]
    bias: NDArray[Any] | None

    @property
    def outputs(self) -> int:
        """Number of output channels."""
        return int(self.kernel.shape[0] * self.kernel.shape[1])

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return int(self.kernel.shape[0] * self.kernel.shape[2])

    @property
    def is_depthwise(self) -> bool:
        """Whether each output channel reads one input channel."""
        return bool(self.kernel.shape[0] > 1 and self.kernel.shape[2] == 1)

    def scaled(self, outputs: NDArray[Any], inputs: NDArray[Any]) -> dict[int, NDArray[np.float32]]:
        """Return the layer's constants by their place among its inputs, each channel multiplied by its factor.

        Args:
            outputs: a factor for each output channel, which its bias gets as well.
            inputs: a factor for each input channel.
        """
        groups, here, there, _ = self.kernel.shape
        factors = outputs.reshape(groups, here, 1, 1) * inputs.reshape(groups, 1, there, 1)
        constants = {1: _as_stored(self.node, (self.kernel * factors).astype(np.float32))}
        return constants if self.bias is None else constants | {2: (self.bias * outputs).astype(np.float32)}


def weights_of(node: ir.Node | None) -> Weights | None:
    """Return the weights of a layer that alone reads them, as float32 constants; None for anything else."""
    if node is None or node.domain != "" or node.op_type not in OPERATORS or attribute(node, "transA", 0):
        return None
    kernel, biased = constant(node.inputs[1]), len(node.inputs) > 2 and node.inputs[2] is not None
    bias = constant(node.inputs[2]) if biased else None
    # A kernel that others read as well would be there twice.
    if kernel is None or kernel.dtype != np.float32 or not _read_once(node.inputs[1]) or (biased and bias is None):
        return None
    if node.op_type == "Gemm":
        kernel = (kernel if attribute(node, "transB", 0) else kernel.T)[None, :, :, None]
    else:
        groups = attribute(node, "group", 1)
        kernel = kernel.reshape(groups, kernel.shape[0] // groups, kernel.shape[1], -1)
    found = Weights(node, kernel, None if bias is None else bias.ravel())
    return found if found.bias is None or found.bias.size == found.outputs else None


def with_weights(model: onnx.ModelProto, changed: Mapping[str, Mapping[int, NDArray[np.float32]]]) -> onnx.ModelProto:
    """Return a copy of a model with other constants in some layers, and without those that nothing reads any more.

    Args:
        model: stays as it is.
        changed: by the name of a layer's output: its constants by their place among its inputs. A bias that the layer
            lacks is added.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    taken, left = {tensor.name for tensor in model.graph.initializer}, set()
    for node in copy.graph.node:
        for place, array in changed.get(node.output[0], {}).items():
            name = f"{node.output[0]}:constant{place}"
            while name in taken:
                name += "'"
            copy.graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
            if place < len(node.input):
                left.add(node.input[place])
                node.input[place] = name
            else:
                node.input.append(name)
    read = {name for node in copy.graph.node for name in reads(node)} | {output.name for output in copy.graph.output}
    kept = [tensor for tensor in copy.graph.initializer if tensor.name not in left - read]
    if len(kept) < len(copy.graph.initializer):
        shared = onnx.GraphProto()
        shared.initializer.extend(kept)
        copy.graph.ClearField("initializer")
        copy.graph.initializer.extend(shared.initializer)
    return copy


def reads(node: onnx.NodeProto) -> Iterator[str]:
    """Yield the names that a node reads, and those that the nodes within it read."""
    yield from node.input
    for item in node.attribute:
        for graph in (item.g, *item.graphs):
            yield from (output.name for output in graph.output)
            for inner in graph.node:
                yield from reads(inner)


def _read_once(value: ir.Value | None) -> bool:
    return value is not None and len(value.uses()) == 1 and not value.is_graph_output()


def _as_stored(node: ir.Node, kernel: NDArray[Any]) -> NDArray[Any]:
    if node.op_type == "Gemm":
        flat = kernel[0, :, :, 0]
        return flat if attribute(node, "transB", 0) else flat.T
    stored = constant(node.inputs[1])
    return kernel if stored is None else kernel.reshape(stored.shape)
