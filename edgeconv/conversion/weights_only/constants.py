"""The constants of a float model that are worth storing in fewer bits, and where their channels lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper
from onnx.numpy_helper import to_array

from edgeconv.conversion.int8.rounding.rows import OPERATORS, Layout

FEWEST = 256
"""Numbers of a constant, from which on its scales and nodes weigh less than what is saved."""


@dataclass(frozen=True)
class Weights:
    """A constant that only weights' places of layers read.

    Attributes:
        name: of the constant.
        array: float32, at least two axes.
        axis: of the output channels.
        layout: of the one layer that reads it, where its rows are known; None elsewhere.
    """

    name: str
    array: NDArray[np.float32]
    axis: int
    layout: Layout | None


def weights_in(model: onnx.ModelProto) -> tuple[Weights, ...]:
    """Return the weights of a model, in the order of its graph."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    readers: dict[str, list[tuple[onnx.NodeProto, int | None]]] = {}
    for node in _nodes(model.graph):
        for place, name in enumerate(node.input):
            if name in stored:
                readers.setdefault(name, []).append((node, _axis(node, place, len(stored[name].dims))))
    return tuple(
        _weights(stored[name], reading) for name, reading in readers.items() if _is_worth(stored[name], reading)
    )


def _weights(tensor: onnx.TensorProto, readers: list[tuple[onnx.NodeProto, int | None]]) -> Weights:
    array, (node, axis) = to_array(tensor), readers[0]
    rows = len(readers) == 1 and node.op_type in OPERATORS and not (node.op_type == "MatMul" and array.ndim > 2)
    return Weights(tensor.name, array, axis or 0, Layout(node, array.shape) if rows else None)


def _is_worth(tensor: onnx.TensorProto, readers: list[tuple[onnx.NodeProto, int | None]]) -> bool:
    axes = {axis for _, axis in readers}
    return (
        tensor.data_type == onnx.TensorProto.FLOAT
        and len(axes) == 1
        and None not in axes
        and np.prod(tensor.dims) >= FEWEST
    )


def _axis(node: onnx.NodeProto, place: int, rank: int) -> int | None:
    """Return the axis of the output channels of a constant at a place of a node; None where it is no weight."""
    options = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    found = {
        ("Conv", 1): 0,
        ("ConvTranspose", 1): 1,
        ("Gemm", 1): 0 if options.get("transB", 0) else 1,
        ("MatMul", 1): rank - 1,
        # The table of an Embedding layer: a row for each word.
        ("Gather", 0): 0,
        # (directions, gates * units, inputs)
        **{(operator, at): 1 for operator in ("LSTM", "GRU", "RNN") for at in (1, 2)},
    }.get((node.op_type, place))
    return found if node.domain == "" and rank > 1 else None


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for item in node.attribute:
            for inner in (item.g, *item.graphs):
                yield from _nodes(inner)
