"""The constants of a float model that are worth storing in fewer bits, and where their channels lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

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
    readers: dict[str, list[_Reader]] = {}
    for node, inner in _nodes(model.graph):
        for place, name in enumerate(node.input):
            if name in stored:
                readers.setdefault(name, []).append(_Reader(node, _axis(node, place, len(stored[name].dims)), inner))
    return tuple(
        _weights(stored[name], reading) for name, reading in readers.items() if _is_worth(stored[name], reading)
    )


class _Reader(NamedTuple):
    """A node that reads a constant: the axis of its output channels where it is a weight, and if it is in a loop."""

    node: onnx.NodeProto
    axis: int | None
    inner: bool


def _weights(tensor: onnx.TensorProto, readers: list[_Reader]) -> Weights:
    array, (node, axis, inner) = to_array(tensor), readers[0]
    alone = len(readers) == 1 and not inner
    rows = alone and node.op_type in OPERATORS and not (node.op_type == "MatMul" and array.ndim > 2)
    return Weights(tensor.name, array, axis or 0, Layout(node, array.shape) if rows else None)


def _is_worth(tensor: onnx.TensorProto, readers: list[_Reader]) -> bool:
    axes = {reader.axis for reader in readers}
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


def _nodes(
    graph: onnx.GraphProto, outside: Mapping[str, str] = MappingProxyType({}), *, inner: bool = False
) -> Iterator[tuple[onnx.NodeProto, bool]]:
    """Yield the nodes of a graph, and of those inside it with True.

    What a loop hands round from step to step without a change has the name in its body that it has outside.
    """
    for node in graph.node:
        constant = _unchanged(node)
        yield _reading(node, [outside.get(name, name) if name not in constant else "" for name in node.input]), inner
        for item in node.attribute:
            for body in (item.g, *item.graphs):
                own = {name: outside.get(given, given) for given, name in constant.items()}
                yield from _nodes(body, {**outside, **own}, inner=True)


def _unchanged(node: onnx.NodeProto) -> dict[str, str]:
    """Return what a loop is given and hands on as it is, with its name in the loop's body; nothing of other nodes."""
    if node.op_type != "Loop":
        return {}
    (body,) = (item.g for item in node.attribute if item.name == "body")
    # The trip count and the condition come first, in the body the number of the step and the condition.
    states = zip(node.input[2:], body.input[2:], body.output[1:], strict=False)
    return {given: own.name for given, own, last in states if last.name == own.name}


def _reading(node: onnx.NodeProto, names: list[str]) -> onnx.NodeProto:
    """Return a node that reads values of other names."""
    if names == list(node.input):
        return node
    other = onnx.NodeProto()
    other.CopyFrom(node)
    other.input[:] = names
    return other
