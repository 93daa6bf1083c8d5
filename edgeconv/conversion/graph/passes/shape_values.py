"""Arithmetic on shapes, done now: what Shape, Gather, Concat and their like compute is mostly known beforehand.

tf2onnx computes the targets of reshapes at run time, with a chain of nodes for each Flatten, Dense on sequences and
attention head. Here each element of such an integer vector is a number times names of dynamic axes.

Cases: Shape, Gather, Slice, Concat, Squeeze, Unsqueeze, Cast, Mul, Max, ReduceProd, Add and Sub of
numbers, and constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import add_constant, attribute, constant, sizes

_INTEGERS = {ir.DataType.INT32: np.int32, ir.DataType.INT64: np.int64}
_LARGEST = 32
"""Elements of a constant that may be a shape."""


@dataclass(frozen=True)
class Size:
    """A number, times the sizes of dynamic axes.

    Attributes:
        factor: the number.
        axes: names of the axes, sorted.
    """

    factor: int
    axes: tuple[str, ...] = ()

    def __mul__(self, other: Size) -> Size:
        return Size(self.factor * other.factor, tuple(sorted(self.axes + other.axes)) if self.factor else ())


Sizes = NDArray[Any]
"""Sizes, (n,) or ()."""


def size_of(axis: int | str | None, value: ir.Value | None, place: int) -> Size:
    """Return the size of an axis; one without a name is known by its place in its value."""
    if isinstance(axis, int):
        return Size(axis)
    return Size(1, (axis or f"{'' if value is None else value.name}#{place}",))


def reshaped(target: Sizes, source: list[Size]) -> list[Size] | None:
    """Return the shape that a Reshape makes: 0 stands for "as it was", and -1 for what remains. None if not known."""
    if any(size == Size(0) and axis >= len(source) for axis, size in enumerate(target)):
        return None
    made = [source[axis] if size == Size(0) else size for axis, size in enumerate(target)]
    if Size(-1) not in made:
        return made
    others = math.prod((size for size in made if size != Size(-1)), start=Size(1))
    whole = math.prod(source, start=Size(1))
    remaining = list(whole.axes)
    for axis in others.axes:
        if axis not in remaining:
            return None
        remaining.remove(axis)
    if not others.factor or whole.factor % others.factor:
        return None
    made[made.index(Size(-1))] = Size(whole.factor // others.factor, tuple(remaining))
    return made


def known_sizes(model: ir.Model) -> dict[ir.Value, Sizes]:
    """Return what is known of the integer vectors and scalars of a graph whose shapes were inferred."""
    known: dict[ir.Value, Sizes] = {}
    for value in model.graph.initializers.values():
        array = constant(value) if value.dtype in _INTEGERS else None
        if array is not None and array.ndim <= 1 and array.size <= _LARGEST:
            known[value] = _vector([Size(int(item)) for item in array.ravel()], array.shape)
    for node in model.graph:
        rule = _RULES.get(node.op_type) if node.domain == "" else None
        found = None if rule is None else rule(node, [known.get(value) if value else None for value in node.inputs])
        if found is not None and found.ndim <= 1:
            known[node.outputs[0]] = found
    return known


def fold_shape_values(model: ir.Model) -> int:
    """Make a constant of each integer vector that is known in full; return how many."""
    folded = 0
    for value, found in known_sizes(model).items():
        node, dtype = value.producer(), _INTEGERS.get(value.dtype or ir.DataType.UNDEFINED)
        if node is None or dtype is None or value.is_graph_output() or any(size.axes for size in found.ravel()):
            continue
        array = np.array([size.factor for size in found.ravel()], dtype).reshape(found.shape)
        ir.convenience.replace_all_uses_with(value, add_constant(model, array))
        model.graph.remove(node, safe=True)
        folded += 1
    return folded


def _vector(items: list[Size], shape: tuple[int, ...]) -> Sizes:
    made = np.empty(len(items), object)
    made[:] = items
    return made.reshape(shape)


def _numbers(found: Sizes | None) -> NDArray[np.int64] | None:
    if found is None or any(size.axes for size in found.ravel()):
        return None
    return np.array([size.factor for size in found.ravel()], np.int64).reshape(found.shape)


def _shape(node: ir.Node, _: list[Sizes | None]) -> Sizes | None:
    source = node.inputs[0]
    shape = sizes(source)
    if shape is None or source is None:
        return None
    items = [size_of(size, source, axis) for axis, size in enumerate(shape)]
    kept = items[slice(attribute(node, "start", 0), attribute(node, "end", None))]
    return _vector(kept, (len(kept),))


def _gather(node: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    places = _numbers(inputs[1])
    if inputs[0] is None or inputs[0].ndim != 1 or places is None or attribute(node, "axis", 0) != 0:
        return None
    chosen: Any = inputs[0][places]
    return chosen if isinstance(chosen, np.ndarray) else _vector([chosen], ())


def _slice(_: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    if inputs[0] is None or inputs[0].ndim != 1:
        return None
    starts, ends = _numbers(inputs[1]), _numbers(inputs[2])
    steps = _numbers(inputs[4]) if len(inputs) > 4 else np.ones(1, np.int64)
    if starts is None or ends is None or steps is None or len(starts) != 1 or steps[0] < 1:
        return None
    kept: Sizes = inputs[0][starts[0] : ends[0] : steps[0]]
    return kept


def _concat(_: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    parts = [found for found in inputs if found is not None and found.ndim == 1]
    return np.concatenate(parts) if len(parts) == len(inputs) else None


def _same(node: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    return inputs[0] if node.outputs[0].dtype in _INTEGERS else None


def _reshaped(node: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    if inputs[0] is None or inputs[0].size != 1:
        return None
    shape = sizes(node.outputs[0])
    return inputs[0].reshape(()) if shape == () else inputs[0].reshape(1) if shape == (1,) else None


def _product(node: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    if inputs[0] is None or sizes(node.outputs[0]) not in {(), (1,)}:
        return None
    return _vector([math.prod(inputs[0].ravel(), start=Size(1))], (1,) if sizes(node.outputs[0]) else ())


def _multiplied(_: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    return None if inputs[0] is None or inputs[1] is None else np.asarray(inputs[0] * inputs[1], object)


def _largest(_: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
    """Return the larger ones, which is known of equal ones too."""
    if len(inputs) != 2 or inputs[0] is None or inputs[1] is None or inputs[0].shape != inputs[1].shape:
        return None
    pairs = list(zip(inputs[0].ravel(), inputs[1].ravel(), strict=True))
    if any(one != two and (one.axes or two.axes) for one, two in pairs):
        return None
    return _vector([max(pair, key=lambda size: size.factor) for pair in pairs], inputs[0].shape)


def _of_numbers(calculate: Callable[[Any, Any], Any]) -> Callable[[ir.Node, list[Sizes | None]], Sizes | None]:
    def rule(_: ir.Node, inputs: list[Sizes | None]) -> Sizes | None:
        first, second = (_numbers(found) for found in inputs)
        if first is None or second is None:
            return None
        made = np.asarray(calculate(first, second))
        return _vector([Size(int(item)) for item in made.ravel()], made.shape)

    return rule


_RULES: dict[str, Callable[[ir.Node, list[Sizes | None]], Sizes | None]] = {
    "Shape": _shape,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Cast": _same,
    "Identity": _same,
    "Squeeze": _reshaped,
    "Unsqueeze": _reshaped,
    "Reshape": _reshaped,
    "ReduceProd": _product,
    "Mul": _multiplied,
    "Max": _largest,
    "Add": _of_numbers(np.add),
    "Sub": _of_numbers(np.subtract),
}
