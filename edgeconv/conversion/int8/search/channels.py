"""Means and maxima of output channels: a graph that ends in them, so that no activation is ever kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from edgeconv.conversion.graph.qdq import dequantizers
from edgeconv.conversion.int8.feeds import samples_in
from edgeconv.conversion.int8.search.subgraph import open_subgraph, subgraph
from edgeconv.conversion.int8.search.weights import OPERATORS
from edgeconv.parity.comparison import Feeds

Measure = Literal["mean", "largest"]

ACTIVATIONS = ("Relu", "LeakyRelu", "PRelu", "Clip")

_AXES_ARE_AN_INPUT = 18
"""Opset from which ReduceMean and ReduceMax take their axes as an input."""


def measure_channels(
    model: onnx.ModelProto, nodes: Sequence[str], batches: Iterable[Feeds], measure: Measure
) -> dict[str, NDArray[np.float64]]:
    """Measure the output channels of some layers over all samples; only what they depend on is computed.

    Args:
        model: float or QDQ.
        nodes: names of Conv and Gemm nodes; their order is kept.
        batches: what the model takes, one batch at a time; pixels may be given to a float input.
        measure: ``"mean"``, before an activation; or ``"largest"`` magnitude, behind it.

    Returns:
        By node, float64, (channels,).
    """
    if not nodes:  # ONNX Runtime opens no graph without outputs.
        return {}
    run = open_subgraph(_measuring(model, nodes, measure))
    totals: list[NDArray[np.float64]] = []
    count = 0
    for feeds in batches:
        found = [np.asarray(answer, np.float64) for answer in run(feeds)]
        if measure == "mean":
            found = [answer * samples_in(feeds) for answer in found]
        merge = np.add if measure == "mean" else np.maximum
        totals = [merge(one, other) for one, other in zip(totals, found, strict=True)] if totals else found
        count += samples_in(feeds)
    return {node: total / count if measure == "mean" else total for node, total in zip(nodes, totals, strict=True)}


def _measuring(model: onnx.ModelProto, nodes: Sequence[str], measure: Measure) -> onnx.ModelProto:
    """Return the part of a model that some nodes depend on, with measures of their channels for its outputs."""
    by_name = {node.name: node for node in model.graph.node if node.op_type in OPERATORS}
    part = subgraph(model, [by_name[name].output[0] for name in nodes])
    constants = {tensor.name: tensor for tensor in part.graph.initializer}
    kept = list(part.graph.node)
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    for name in nodes:
        node = by_name[name]
        value = node.output[0]
        if measure == "largest":
            value = _activated(value, model.graph, part.graph)
        _measure(part.graph, value, _rank(node, kept, constants), measure, opset)
    return part


def _activated(value: str, model: onnx.GraphProto, part: onnx.GraphProto) -> str:
    """Return what an activation makes of a value that it alone reads: that is what is stored in int8."""
    readers = [node for node in model.node if value in node.input]
    if len(readers) != 1 or readers[0].op_type not in ACTIVATIONS or readers[0].input[0] != value:
        return value
    if readers[0].output[0] not in {name for node in part.node for name in node.output}:
        part.node.append(readers[0])
        present = {tensor.name for tensor in part.initializer}
        part.initializer.extend(
            tensor for tensor in model.initializer if tensor.name in readers[0].input and tensor.name not in present
        )
    return str(readers[0].output[0])


def _measure(graph: onnx.GraphProto, value: str, rank: int, measure: Measure, opset: int) -> None:
    axes = [axis for axis in range(rank) if axis != 1]
    result = f"{value}/{measure}"
    if measure == "largest":
        graph.node.append(helper.make_node("Abs", [value], [f"{value}/magnitude"]))
        value = f"{value}/magnitude"
    operator = "ReduceMean" if measure == "mean" else "ReduceMax"
    if opset < _AXES_ARE_AN_INPUT:
        graph.node.append(helper.make_node(operator, [value], [result], axes=axes, keepdims=0))
    else:
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(axes), f"{result}/axes"))
        graph.node.append(helper.make_node(operator, [value, f"{result}/axes"], [result], keepdims=0))
    graph.output.append(onnx.ValueInfoProto(name=result))


def _rank(node: onnx.NodeProto, nodes: Sequence[onnx.NodeProto], constants: Mapping[str, onnx.TensorProto]) -> int:
    """Return the number of axes of a layer's output: that of its kernel, which may lie behind a DequantizeLinear."""
    dequantizer = dequantizers(nodes).get(node.input[1])
    return len(constants[node.input[1] if dequantizer is None else dequantizer.input[0]].dims)
