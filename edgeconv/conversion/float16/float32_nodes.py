"""The nodes of a float16 model that stay float32, because float16 ends at 65504 and has 11 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float16).max)
SMALLEST = float(np.finfo(np.float16).smallest_normal)

HEADROOM = 4.0
"""How many times larger than on the examples a tensor may become on other inputs."""

WIDE = frozenset(
    {
        # Sums over many terms, and squares.
        *("ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceProd", "ReduceLogSum"),
        *("ReduceLogSumExp", "CumSum", "LayerNormalization", "InstanceNormalization", "GroupNormalization"),
        *("LpNormalization", "MeanVarianceNormalization", "Softmax", "LogSoftmax", "Hardmax"),
        # Large or tiny answers from moderate numbers: exp(12) is beyond float16.
        *("Exp", "Log", "Pow", "Sqrt", "Reciprocal", "Softplus"),
        # A state that is fed back hundreds of times, and subgraphs.
        *("RNN", "LSTM", "GRU", "Loop", "Scan", "If"),
        # Places and ranks rather than amounts: float16 counts to 2048.
        *("Range", "TopK", "NonMaxSuppression", "RoiAlign", "GridSample", "OneHot", "Mod", "Floor", "Ceil", "Round"),
    }
)
"""Operators whose arithmetic needs float32's range or precision, whatever the weights."""

LIGHT = frozenset(
    {
        *("Add", "Sub", "Mul", "Div", "Neg", "Abs", "Max", "Min", "Sum", "Relu", "LeakyRelu", "Clip", "Sigmoid"),
        *("Tanh", "Erf", "Where", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Flatten", "Identity"),
        *("Concat", "Slice", "Gather", "Tile", "Pad", "GlobalAveragePool", "Cast"),
    }
)
"""Operators that cost less than the two Casts which would bring them to float16 and back."""


def float32_nodes(graph: ir.Graph, largest: Mapping[str, float]) -> set[ir.Node]:
    """Return the nodes that stay float32.

    These are `WIDE` operators and squares; readers of constants that float16 cannot hold, and the light nodes behind
    them, which receive such numbers; nodes that read or write a tensor near float16's largest number; and light nodes
    that lie between these, or between these and an input or output of the model, which is float32 too.

    Args:
        graph: with the types of its values.
        largest: magnitudes of tensors on examples, by name, as far as known.
    """
    nodes = list(graph)
    beyond = _closure({node for node in nodes if _reads_unholdable(node)}, nodes)
    kept = beyond | {node for node in nodes if node.op_type in WIDE or _squares(node) or _is_large(node, largest)}
    after = _reached(kept, nodes, _givers)
    before = _reached(kept, nodes[::-1], _readers)
    return kept | (after & before)


def holds(array: NDArray[Any]) -> bool:
    """Tell whether float16 can hold a constant: none of its numbers too large, and not all of them too small."""
    finite = np.abs(array[np.isfinite(array)])
    return finite.size == 0 or bool(finite.max() <= LARGEST and (finite.max() == 0.0 or finite.max() >= SMALLEST))


def _reads_unholdable(node: ir.Node) -> bool:
    for place, value in enumerate(node.inputs):
        if value is None or value.const_value is None or value.dtype != ir.DataType.FLOAT:
            continue
        array = value.const_value.numpy()
        is_bias = place == 2 and node.op_type in {"Conv", "ConvTranspose", "Gemm"}
        # A small number is lost beside the sum that it is added to, in any type.
        if not holds(array) and not (is_bias and np.abs(array).max() <= LARGEST):
            return True
    return False


def _squares(node: ir.Node) -> bool:
    return node.op_type == "Mul" and node.inputs[0] is node.inputs[1]


def _is_large(node: ir.Node, largest: Mapping[str, float]) -> bool:
    values = (value for value in (*node.inputs, *node.outputs) if value is not None)
    return any(largest.get(value.name or "", 0.0) * HEADROOM > LARGEST for value in values)


def _closure(start: set[ir.Node], nodes: list[ir.Node]) -> set[ir.Node]:
    """Return the start and the light nodes behind it, up to the next that is not light."""
    found = set(start)
    for node in nodes:
        if node.op_type in LIGHT and any(giver in found for giver in _givers(node)):
            found.add(node)
    return found


def _reached(
    kept: set[ir.Node], order: list[ir.Node], neighbours: Callable[[ir.Node], Iterable[ir.Node]]
) -> set[ir.Node]:
    """Return the light nodes that have on one side nothing but kept nodes, such nodes, or the model's end."""
    found = set(kept)
    for node in order:
        if node.op_type in LIGHT and found.issuperset(neighbours(node)):
            found.add(node)
    return found


def _givers(node: ir.Node) -> Iterable[ir.Node]:
    return (producer for value in node.inputs if value is not None and (producer := value.producer()) is not None)


def _readers(node: ir.Node) -> Iterable[ir.Node]:
    return (use.node for value in node.outputs for use in value.uses())
