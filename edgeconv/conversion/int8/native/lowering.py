"""ONNX Runtime's own integer operators in the place of DequantizeLinear, an operator and QuantizeLinear.

Everything is written a second time beside the graph that is there, and what nobody reads is dropped at the end: where
an operator cannot be written so, its neighbours find their tensors as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import add_constant, attribute, rank, sizes
from edgeconv.conversion.int8.native.layouts import TO_FIRST, TO_LAST, add_node, transposed
from edgeconv.conversion.int8.native.layouts import known_channels_last as known
from edgeconv.conversion.int8.native.qdq import Integers, Scale

DOMAIN = "com.microsoft"

_SAFE_WEIGHTS = 64
"""Two products of uint8 with weights within it fit in 16 bits: 2 x 255 x 64 < 2^15."""


class Lowering:
    """A graph on its way: which tensors are known with their channels last, and how constants are written.

    Args:
        model: changed in place.
        unsigned_weights: write int8 weights as uint8, moved up by 128, unless they are too small to overflow.
    """

    def __init__(self, model: ir.Model, *, unsigned_weights: bool) -> None:
        self.model = model
        self._unsigned = unsigned_weights
        self._last: dict[ir.Value, ir.Value] = {}

    def channels_last(self, value: ir.Value, before: ir.Node) -> ir.Value:
        """Return a map with its channels last."""
        if value not in self._last:
            self._last[value] = known(value) or transposed(self.model, value, TO_LAST, before)
        return self._last[value]

    def is_channels_last(self, value: ir.Value) -> bool:
        """Whether a map is there with its channels last already."""
        return value in self._last or known(value) is not None

    def settle(self, quantizer: ir.Node, result: ir.Value, *, channels_last: bool) -> None:
        """Let a value be read in the place of what a QuantizeLinear makes, in either order of axes."""
        old = quantizer.outputs[0]
        result.type = old.type
        if channels_last:
            shape = sizes(old)
            result.shape = None if shape is None else ir.Shape([shape[axis] for axis in TO_LAST])
            first = transposed(self.model, result, TO_FIRST, quantizer)
            self._last[first] = result
            result = first
        else:
            result.shape = old.shape
        ir.convenience.replace_all_uses_with(old, result)

    def node(
        self,
        before: ir.Node,
        operator: str,
        inputs: Sequence[ir.Value | None],
        attributes: Mapping[str, int | float | Sequence[int]] | None = None,
    ) -> ir.Value:
        """Put a node of ONNX Runtime's own before another."""
        return add_node(self.model, before, operator, inputs, attributes, domain=DOMAIN)

    def constants(self, scale: Scale) -> list[ir.Value]:
        """Return a scale and a zero point, of one number each, as inputs."""
        return [
            add_constant(self.model, scale.scale.reshape(())),
            add_constant(self.model, scale.zero_point.reshape(())),
        ]

    def quantized(self, found: Integers) -> list[ir.Value]:
        """Return a tensor, its scale and its zero point, as inputs."""
        return [found.tensor, *self.constants(found.scale)]

    def weights(self, array: NDArray[Any], scale: Scale, *, pairs: bool = True) -> list[ir.Value]:
        """Return weights, their scale and their zero point, as inputs.

        Args:
            array: integers.
            scale: theirs.
            pairs: whether their products are added in pairs, of 16 bits where the processor knows no better.
        """
        zero_point = scale.zero_point
        if (
            pairs
            and self._unsigned
            and array.dtype == np.int8
            and np.abs(array.astype(np.int16)).max(initial=0) > _SAFE_WEIGHTS
        ):
            array, zero_point = _moved(array), _moved(zero_point)
        zero_point = np.broadcast_to(zero_point.reshape(-1), scale.scale.reshape(-1).shape)
        shape = scale.scale.shape if scale.scale.size > 1 else ()
        return [
            add_constant(self.model, np.ascontiguousarray(array)),
            add_constant(self.model, scale.scale.reshape(shape)),
            add_constant(self.model, zero_point.reshape(shape).copy()),
        ]


def _moved(integers: NDArray[Any]) -> NDArray[np.uint8]:
    return (integers.astype(np.int16) + 128).astype(np.uint8)


def follow_moves(lowering: Lowering, node: ir.Node) -> bool:
    """Follow a Transpose of integers between the two orders of axes; return whether it is one."""
    value = node.inputs[0]
    if node.op_type != "Transpose" or value is None or rank(value) != 4 or value.type is None:
        return False
    if value.type.dtype not in (ir.DataType.UINT8, ir.DataType.INT8):
        return False
    if tuple(attribute(node, "perm", ())) != TO_LAST or not lowering.is_channels_last(value):
        return False
    ir.convenience.replace_all_uses_with(node.outputs[0], lowering.channels_last(value, node))
    return True


Rule = Callable[[Lowering, ir.Node], bool]
"""Writes what a node ends in ONNX Runtime's operators, if it can, and returns whether it did."""
