"""The layers of an ONNX graph: what each computes, on which shapes, how precisely, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

import onnx

from edgeconv.conversion.graph.qdq import ACTIVATIONS, DEQUANTIZE, QDQ, QUANTIZE
from edgeconv.conversion.graph.shapes import Shape, dtype_name, infer_values

_FLOAT_OUTPUT = frozenset({"Gemm", "MatMul"})
"""Operators that multiply int8 also where nothing quantizes their output."""

_WEIGHTS_OF = {
    "QLinearConv": (3, 8),
    "ConvInteger": (1,),
    "QLinearMatMul": (0, 3),
    "MatMulInteger": (0, 1),
    "QGemm": (3, 6),
}
"""Operators that compute on integers, and the inputs that may be weights; the others are scales and zero points."""

_SETTINGS_ONLY = frozenset({"Clip", "Pad", "Resize", "Upsample"})
"""Operators whose constants say how to compute, and were not learned."""

_CONVOLUTIONS = {"Conv": 1, "ConvTranspose": 1, "ConvInteger": 1, "QLinearConv": 3}
"""The inputs that are kernels: (output channels, input channels / groups, rows, columns), the former two swapped in
ConvTranspose."""

_PRODUCTS = frozenset({"Gemm", "QGemm", "MatMul", "MatMulInteger", "QLinearMatMul"})

_NOT_COUNTED = frozenset({"If", "Loop", "Scan", "RNN", "LSTM", "GRU", "Einsum", "Attention"})
"""Standard operators that multiply and add, or may, in a number that their shapes do not tell."""


@dataclass(frozen=True)
class Layer:
    """One node, with the QuantizeLinear and DequantizeLinear around it folded in.

    Attributes:
        name: of the node: ``"<Keras layer>/<Operator>"`` in files of edgeconv.
        operator: with its domain, where that is not ONNX's own.
        output_shape: of its first output, its batch axis as ``"batch"``; None where it is not known.
        precision: ``"int8"`` where it takes dequantized and makes quantized values; else the dtype of its output.
        parameters: elements of its weights and biases.
        multiply_adds: for one image; None where they are not known.
    """

    name: str
    operator: str
    output_shape: Shape | None
    precision: str
    parameters: int
    multiply_adds: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the layer as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class LayerTable:
    """The layers of a graph, in order.

    Attributes:
        layers: what lies inside If, Loop and Scan is not taken apart.
        weights: elements of all weights and biases by dtype. A layer that is used twice counts once, two layers with
            equal biases count twice, as in Keras.
    """

    layers: tuple[Layer, ...]
    weights: Mapping[str, int]


def tabulate_layers(model: onnx.ModelProto) -> LayerTable:
    """Return the layers of a model, whether or not its operators are known here."""
    graph = _Graph(model)
    layers: list[Layer] = []
    counted: dict[tuple[str, str], onnx.TensorProto] = {}
    for node in model.graph.node:
        if node.op_type in QDQ or node.op_type == "Constant":
            continue
        weights = dict(graph.weights(node))
        scope = node.name.rpartition("/")[0] or node.name or node.output[0]
        counted |= {(scope, name): tensor for name, tensor in weights.items()}
        layers.append(
            Layer(
                name=node.name or next(iter(node.output), ""),
                operator=node.op_type if _is_standard(node) else f"{node.domain}.{node.op_type}",
                output_shape=graph.shape_for_people(next(iter(node.output), "")),
                precision=graph.precision(node),
                parameters=sum(prod(tensor.dims) for tensor in weights.values()),
                multiply_adds=graph.multiply_adds(node),
            )
        )
    totals: dict[str, int] = {}
    for tensor in counted.values():
        dtype = dtype_name(tensor.data_type)
        totals[dtype] = totals.get(dtype, 0) + prod(tensor.dims)
    return LayerTable(tuple(layers), dict(sorted(totals.items())))


class _Graph:
    """What the nodes of a graph need to know of each other."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._producers: dict[str, onnx.NodeProto] = {}
        self._readers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.output:
                self._producers[name] = node
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
            values = [attribute.t for attribute in node.attribute if attribute.name == "value"]
            if node.op_type == "Constant" and values:
                self._constants[node.output[0]] = values[0]
        self._one = infer_values(model, batch=1)
        self._two = infer_values(model, batch=2)
        self._int8: set[str] = set()

    def weights(self, node: onnx.NodeProto) -> Iterator[tuple[str, onnx.TensorProto]]:
        """Yield the names and tensors of a node's weights: constants of one or more axes that it computes with."""
        if node.op_type in _SETTINGS_ONLY:
            return
        for place, read in enumerate(node.input):
            name = self._behind_folded(read)
            tensor = self._constants.get(name)
            if tensor is None or not tensor.dims or place not in _WEIGHTS_OF.get(node.op_type, (place,)):
                continue
            if name != read or node.op_type in _WEIGHTS_OF or "float" in dtype_name(tensor.data_type):
                yield name, tensor

    def precision(self, node: onnx.NodeProto) -> str:
        """Return ``"int8"``, or the dtype of the first output. Nodes are to be asked in order."""
        data = [name for name in node.input if name and self._behind_folded(name) not in self._constants]
        output = next(iter(node.output), "")
        fused = node.op_type in ACTIVATIONS and all(name in self._int8 for name in data)
        takes_int8 = bool(data) and (fused or all(self._operator(name) == DEQUANTIZE for name in data))
        if node.op_type in _WEIGHTS_OF or (
            takes_int8 and (node.op_type in _FLOAT_OUTPUT or self._is_quantized_next(output))
        ):
            self._int8.add(output)
            return "int8"
        return self._one.get(output, ("unknown", None))[0]

    def multiply_adds(self, node: onnx.NodeProto) -> int | None:
        """Return the multiply-adds of a convolution or a product of matrices, 0 for what has none, None if unknown."""
        operator = node.op_type
        if operator in _CONVOLUTIONS and len(node.input) > _CONVOLUTIONS[operator]:
            kernel = self._sizes(node.input[_CONVOLUTIONS[operator]])
            image = self._sizes(node.input[0] if operator == "ConvTranspose" else node.output[0])
            return None if kernel is None or image is None else prod(image) * prod(kernel[1:])
        if operator in _PRODUCTS:
            left, result = self._sizes(node.input[0]), self._sizes(node.output[0])
            transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
            return None if not left or result is None else prod(result) * left[0 if transposed else -1]
        return 0 if _is_standard(node) and operator not in _NOT_COUNTED else None

    def shape_for_people(self, name: str) -> Shape | None:
        """Return a shape in which the axes that grow with the batch say so."""
        one, two = self._one.get(name, ("", None))[1], self._two.get(name, ("", None))[1]
        if one is None or two is None or len(one) != len(two):
            return one
        return tuple(a if a == b else "batch" if a == 1 else f"{a}*batch" for a, b in zip(one, two, strict=True))

    def _sizes(self, name: str) -> tuple[int, ...] | None:
        tensor = self._constants.get(self._behind_folded(name))
        shape = self._one.get(name, ("", None))[1] if tensor is None else tuple(tensor.dims)
        sizes = tuple(axis for axis in shape or () if isinstance(axis, int))
        return sizes if shape is not None and len(sizes) == len(shape) else None

    def _behind_folded(self, name: str) -> str:
        seen = set()
        while self._operator(name) in QDQ and name not in seen:
            seen.add(name)
            name = self._producers[name].input[0]
        return name

    def _is_quantized_next(self, name: str, behind: frozenset[str] = ACTIVATIONS) -> bool:
        readers = self._readers.get(name, [])
        return bool(readers) and all(
            reader.op_type == QUANTIZE
            or (reader.op_type in behind and self._is_quantized_next(reader.output[0], frozenset()))
            for reader in readers
        )

    def _operator(self, name: str) -> str:
        return self._producers[name].op_type if name in self._producers else ""


def _is_standard(node: onnx.NodeProto) -> bool:
    return node.domain in {"", "ai.onnx"}
