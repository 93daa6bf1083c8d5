"""Float graphs that tell more than their answer: the extremes of every activation, or the activations themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

LOW, HIGH, SIZE = "edgeconv.low:", "edgeconv.high:", "edgeconv.size:"
"""What the names of added outputs begin with."""

_ERRORS_ONLY = 3


def activations_of(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of the float tensors that depend on the input, in the order of the graph."""
    graph = model.graph
    described = (*graph.input, *graph.value_info, *graph.output)
    floats = {value.name for value in described if value.type.tensor_type.elem_type == TensorProto.FLOAT}
    constants = {tensor.name for tensor in graph.initializer}
    made = (name for node in graph.node for name in node.output)
    names = dict.fromkeys((*(value.name for value in graph.input), *made))
    return tuple(name for name in names if name in floats and name not in constants)


def with_extremes(model: onnx.ModelProto, tensors: Sequence[str]) -> onnx.ModelProto:
    """Return a model that answers, for each tensor, its smallest value, its largest, and how many it has."""
    probed, behind = _copied(model), {name: _extremes_of(name) for name in tensors}
    # Each right behind what it reads, which is done with then: see `open_probed`.
    nodes = [probe for value in probed.graph.input for probe in behind.get(value.name, ())]
    for node in probed.graph.node:
        nodes += [node, *(probe for name in node.output for probe in behind.get(name, ()))]
    del probed.graph.node[:]
    probed.graph.node.extend(nodes)
    for name in tensors:
        for prefix, kind in ((LOW, TensorProto.FLOAT), (HIGH, TensorProto.FLOAT), (SIZE, TensorProto.INT64)):
            probed.graph.output.append(helper.make_tensor_value_info(prefix + name, kind, ()))
    return probed


def with_tensors(model: onnx.ModelProto, tensors: Sequence[str]) -> onnx.ModelProto:
    """Return a model that answers the tensors themselves; those that are its inputs are left out."""
    probed = _copied(model)
    inputs = {value.name for value in probed.graph.input}
    for name in tensors:
        if name not in inputs:
            probed.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    return probed


def open_probed(probed: onnx.ModelProto) -> Any:
    """Open ONNX Runtime's session on the CPU, with all its threads."""
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    # Other layouts and fusions would round differently from one kind of processor to the next.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # In the order of the graph: else all extremes are taken at the end, and every activation waits for that in memory.
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    return ort.InferenceSession(probed.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _extremes_of(name: str) -> tuple[onnx.NodeProto, ...]:
    return (
        helper.make_node("ReduceMin", [name], [LOW + name], LOW + name, keepdims=0),
        helper.make_node("ReduceMax", [name], [HIGH + name], HIGH + name, keepdims=0),
        helper.make_node("Size", [name], [SIZE + name], SIZE + name),
    )


def _copied(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy without outputs: only what is asked for is computed to the end and kept."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    return copy
