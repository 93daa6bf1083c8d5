"""The tensors inside an ONNX graph: which there are, how they depend on each other, and what they hold.

The graph is run as it is written, without optimisations that would merge its nodes. Large weights are lent to
ONNX Runtime, not copied, so that a session of a part of a large model costs little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper

from edgeconv.conversion.explanation.statistics import TensorStatistics
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.qdq import QUANTIZE, dequantized_names
from edgeconv.parity.comparison import Feeds

LENT_FROM = 1024
"""Bytes from which a weight is lent. ONNX Runtime reads smaller ones, such as shapes, while it loads."""

_LENT_TYPES = frozenset({"FLOAT", "FLOAT16", "DOUBLE", "INT8", "UINT8", "INT32", "INT64"})
_NO_TENSORS = ("Sequence", "Optional", "SplitToSequence", QUANTIZE, "Shape")
_ERRORS_ONLY = 3


@dataclass(frozen=True)
class Value:
    """A tensor that a node makes out of the inputs.

    Attributes:
        name: in the graph.
        scope: the layer that the node is named after; empty if none.
        place: its number among all values, in the order of computation.
        made_from: the places of the values that it depends on, as the bits of a number.
    """

    name: str
    scope: str
    place: int
    made_from: int


class TappedModel:
    """An ONNX model whose inner tensors can be asked for.

    Args:
        model: stays as it is.
        feeds: arrays by input.
    """

    def __init__(self, model: onnx.ModelProto, feeds: Feeds) -> None:
        self._model = model
        self._feeds = dict(feeds)
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self.values = {value.name: value for value in self._values()}
        self._dequantized = dequantized_names(model.graph.node)
        self.outputs = [output.name for output in model.graph.output]

    def statistics(self) -> dict[str, TensorStatistics]:
        """Measure all values in one run that keeps none of them."""
        nodes: list[onnx.NodeProto] = []
        wanted: list[str] = []
        for node in self._model.graph.node:
            nodes.append(node)
            for name in node.output:
                if name in self.values:
                    added, measured = _measuring(name)
                    nodes += added
                    wanted += measured
        measured_values = self._run(nodes, wanted)
        found = {}
        for place, name in enumerate(self.values):
            size, *rest = measured_values[place * 5 : place * 5 + 5]
            found[name] = TensorStatistics(int(size), *map(float, rest))
        return found

    def fetch(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return what some values hold; computes only what they depend on."""
        made = [name for name in names if name not in self._feeds]
        arrays = dict(zip(made, self._run(self._nodes_behind(made), made), strict=True))
        return {name: arrays[name] if name in arrays else self._feeds[name] for name in names}

    def part(self, names: Sequence[str]) -> onnx.ModelProto:
        """Return the part of the model that computes some values, as a model with these as its outputs."""
        nodes = self._nodes_behind(names)
        read = {name for node in nodes for name in _reads(node)}
        graph = onnx.GraphProto(name="part", node=nodes)
        graph.input.extend(entry for entry in self._model.graph.input if entry.name in read)
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        graph.initializer.extend(tensor for name, tensor in self._initializers.items() if name in read)
        part = onnx.ModelProto(ir_version=self._model.ir_version, opset_import=self._model.opset_import, graph=graph)
        part.functions.extend(self._model.functions)
        return part

    def dequantized(self, name: str) -> str:
        """Return the value that stands for `name` behind its quantization, or `name` where it is not quantized."""
        return self._dequantized.get(name, name)

    def _values(self) -> Iterator[Value]:
        behind: dict[str, int] = dict.fromkeys(self._feeds, 0)
        place = 0
        for node in self._model.graph.node:
            known = [behind[name] for name in _reads(node) if name in behind]
            if not known:
                continue  # A constant.
            made_from = 0
            for bits in known:
                made_from |= bits
            tensors = not node.op_type.startswith(_NO_TENSORS)
            for name in filter(None, node.output):
                behind[name] = made_from
                if tensors:
                    yield Value(name, layer_of_named(node.name) or "", place, made_from)
                    behind[name] |= 1 << place
                    place += 1

    def _nodes_behind(self, names: Collection[str]) -> list[onnx.NodeProto]:
        wanted = set(names)
        nodes = []
        for node in reversed(self._model.graph.node):
            if wanted & set(node.output):
                nodes.append(node)
                wanted |= set(_reads(node))
        return nodes[::-1]

    def _run(self, nodes: Sequence[onnx.NodeProto], names: Sequence[str]) -> list[NDArray[Any]]:
        if not names:
            return []
        read = {name for node in nodes for name in _reads(node)}
        graph = onnx.GraphProto(name="tapped", node=nodes)
        graph.input.extend(entry for entry in self._model.graph.input if entry.name in read)
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        options = _options()
        lent: dict[str, Any] = {}
        for name in read & self._initializers.keys():
            tensor = self._initializers[name]
            if tensor.ByteSize() < LENT_FROM or onnx.TensorProto.DataType.Name(tensor.data_type) not in _LENT_TYPES:
                graph.initializer.append(tensor)
                continue
            lent[name] = ort.OrtValue.ortvalue_from_numpy(onnx.numpy_helper.to_array(tensor))
            promise = graph.initializer.add(name=name, data_type=tensor.data_type, dims=tensor.dims)
            promise.data_location = onnx.TensorProto.EXTERNAL
            promise.external_data.add(key="location", value="lent")
        if lent:
            options.add_external_initializers(list(lent), list(lent.values()))
        part = onnx.ModelProto(ir_version=self._model.ir_version, opset_import=self._model.opset_import, graph=graph)
        part.functions.extend(self._model.functions)
        session = ort.InferenceSession(part.SerializeToString(), options, providers=["CPUExecutionProvider"])
        feeds = {entry.name: self._feeds[entry.name] for entry in graph.input if entry.name in self._feeds}
        return [np.asarray(array) for array in session.run(list(names), feeds)]


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    # The default order puts what nothing else reads at the end, and would keep all tensors until they are measured.
    options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = _ERRORS_ONLY
    return options


def _measuring(name: str) -> tuple[list[onnx.NodeProto], list[str]]:
    """Return nodes that measure a value, and the names of size, minimum, maximum, mean and root mean square."""
    value, squares, mean_square = f"{name}/float", f"{name}/squares", f"{name}/mean_square"
    measured = [f"{name}/{measure}" for measure in ("size", "low", "high", "mean", "rms")]
    size, low, high, mean, rms = measured
    nodes = [
        helper.make_node("Cast", [name], [value], to=onnx.TensorProto.FLOAT),
        helper.make_node("Size", [value], [size]),
        helper.make_node("ReduceMin", [value], [low], keepdims=0),
        helper.make_node("ReduceMax", [value], [high], keepdims=0),
        helper.make_node("ReduceMean", [value], [mean], keepdims=0),
        helper.make_node("Mul", [value, value], [squares]),
        helper.make_node("ReduceMean", [squares], [mean_square], keepdims=0),
        helper.make_node("Sqrt", [mean_square], [rms]),
    ]
    return nodes, measured


def _reads(node: onnx.NodeProto) -> list[str]:
    """Return the names that a node reads, also from inside its branches and loops."""
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            made = {name for inner in graph.node for name in inner.output} | {entry.name for entry in graph.input}
            asked = [*(name for inner in graph.node for name in _reads(inner)), *(entry.name for entry in graph.output)]
            names += [name for name in asked if name not in made]
    return names
