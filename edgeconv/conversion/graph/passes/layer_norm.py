"""LayerNormalization, of which TensorFlow makes a dozen nodes, as the one operator that ONNX has from opset 17 on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import (
    add_constant,
    constant,
    nodes_of,
    opset,
    producer,
    rank,
    replace,
    scalar,
    sizes,
)
from edgeconv.conversion.graph.passes.pooling import reduced_axes


@dataclass(frozen=True)
class _Spread:
    """``1 / sqrt(variance + epsilon)``: of what, over which axes, and the nodes that make it and nothing else."""

    source: ir.Value
    mean: ir.Value
    axes: list[int]
    epsilon: float
    nodes: list[ir.Node]


def fuse_layer_norm(model: ir.Model) -> int:
    """Make a LayerNormalization of ``x * g + (b - mean * g)``, g being ``scale / sqrt(variance + epsilon)``.

    Cases: with and without scale and b; over the last axis, or the last few.

    Returns:
        How many were made.
    """
    made = 0
    for last in nodes_of(model, "Add") if opset(model) >= 17 else ():
        for product, rest in (tuple(last.inputs), tuple(reversed(last.inputs))):
            made += _fuse(model, last, product, rest)
    return made


def _fuse(model: ir.Model, last: ir.Node, product: ir.Value | None, rest: ir.Value | None) -> bool:
    scaled, shift = producer(product, "Mul"), producer(rest, "Add")
    centre = producer(rest, "Mul")
    bias = None
    if shift is not None:
        places = [place for place in (0, 1) if constant(shift.inputs[place]) is not None]
        bias = shift.inputs[places[0]] if places else None
        centre = producer(shift.inputs[1 - places[0]], "Mul") if places else None
    if scaled is None or centre is None or last.graph is None:
        return False
    gains = [value for value in scaled.inputs if value is not None and value in centre.inputs]
    if len(gains) != 1 or not _read_twice(gains[0]):
        return False
    x, negated = (next(value for value in node.inputs if value is not gains[0]) for node in (scaled, centre))
    gain, negation = gains[0].producer(), producer(negated, "Neg")
    scale = None
    if gain is not None and gain.op_type == "Mul":
        places = [place for place in (0, 1) if constant(gain.inputs[place]) is not None]
        scale = gain.inputs[places[0]] if places else None
        spread = _spread(producer(gain.inputs[1 - places[0]], "Reciprocal")) if places else None
    else:
        spread = _spread(gain)
    if spread is None or negation is None or gain is None or spread.source is not x or x.dtype != ir.DataType.FLOAT:
        return False
    if negation.inputs[0] is not spread.mean or not _read_twice(spread.mean):
        return False
    width = [size for size in (sizes(x) or ())[spread.axes[0] :] if isinstance(size, int)]
    parameters = [_parameter(value, width, len(spread.axes), default) for value, default in ((scale, 1), (bias, 0))]
    if len(width) != len(spread.axes) or any(array is None for array in parameters):
        return False
    constants = [add_constant(model, array) for array in parameters if array is not None]
    attributes = {"axis": -len(width), "epsilon": spread.epsilon}
    node = ir.node("LayerNormalization", [x, *constants], attributes)
    middle = [gain] if gain not in spread.nodes else []
    chain = [*spread.nodes, *middle, negation, centre, *([shift] if shift is not None else []), scaled, last]
    replace(model, chain, node)
    return True


def _spread(reciprocal: ir.Node | None) -> _Spread | None:
    if reciprocal is None or reciprocal.op_type != "Reciprocal":
        return None
    root = producer(reciprocal.inputs[0], "Sqrt")
    add = producer(root.inputs[0], "Add") if root is not None else None
    if root is None or add is None:
        return None
    places = [place for place in (0, 1) if scalar(add.inputs[place], rank(add.outputs[0])) is not None]
    variance = producer(add.inputs[1 - places[0]]) if places else None
    square = producer(variance.inputs[0], "Mul") if variance is not None else None
    if variance is None or square is None or square.inputs[0] is not square.inputs[1] or square.inputs[0] is None:
        return None
    difference = square.inputs[0].producer()
    if difference is None or difference.op_type != "Sub" or not _read_twice(difference.outputs[0]):
        return None
    x, mean = difference.inputs[0], difference.inputs[1]
    averaging = mean.producer() if mean is not None else None
    axes, axes_known = reduced_axes(variance), rank(x)
    if (
        x is None
        or mean is None
        or averaging is None
        or averaging.inputs[0] is not x
        or axes is None
        or axes_known is None
    ):
        return None
    if reduced_axes(averaging) != axes or axes != list(range(axes_known - len(axes), axes_known)):
        return None
    epsilon = scalar(add.inputs[places[0]], rank(add.outputs[0])) or 0.0
    return _Spread(x, mean, axes, epsilon, [averaging, difference, square, variance, add, root, reciprocal])


def _read_twice(value: ir.Value) -> bool:
    return len(value.uses()) == 2 and not value.is_graph_output()


def _parameter(value: ir.Value | None, width: list[int], axes: int, default: float) -> NDArray[np.floating] | None:
    """Return a scale or a bias in the shape of the axes that are normalized, or None if it is none of these alone."""
    if value is None:
        return np.full(width, default, np.float32)
    array = constant(value)
    if array is None or any(size != 1 for size in array.shape[: max(0, array.ndim - axes)]):
        return None
    kept = array.reshape(array.shape[max(0, array.ndim - axes) :])
    if any(kept.shape[-place] not in (1, width[-place]) for place in range(1, kept.ndim + 1)):
        return None
    return np.ascontiguousarray(np.broadcast_to(kept, width))
