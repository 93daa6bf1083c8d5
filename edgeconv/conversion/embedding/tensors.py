"""Arrays that are not there yet: arithmetic on them writes ONNX operators down.

So the modules beside this one read as the numpy modules that they mirror. Numbers that are only known when the graph
runs, such as the height of the picture, are tensors of one element, and may bound a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.embedding.recording import Recorder

UINT8, INT64, FLOAT, DOUBLE, BOOL = (
    ir.DataType.UINT8,
    ir.DataType.INT64,
    ir.DataType.FLOAT,
    ir.DataType.DOUBLE,
    ir.DataType.BOOL,
)
FAR = 2**31
"""An end beyond every axis."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the graph.

    Attributes:
        value: what the nodes read and write.
        dtype: the type of its elements.
        recorder: where operators on it are written down.
    """

    value: ir.Value
    dtype: ir.DataType
    recorder: Recorder

    def __add__(self, other: Operand) -> Tensor:
        return self.apply("Add", other)

    def __radd__(self, other: float) -> Tensor:
        return self.like(other).apply("Add", self)

    def __sub__(self, other: Operand) -> Tensor:
        return self.apply("Sub", other)

    def __rsub__(self, other: float) -> Tensor:
        return self.like(other).apply("Sub", self)

    def __mul__(self, other: Operand) -> Tensor:
        return self.apply("Mul", other)

    def __rmul__(self, other: float) -> Tensor:
        return self.like(other).apply("Mul", self)

    def __truediv__(self, other: Operand) -> Tensor:
        return self.apply("Div", other)

    def __rtruediv__(self, other: float) -> Tensor:
        return self.like(other).apply("Div", self)

    def __floordiv__(self, other: Operand) -> Tensor:
        """Divide integers that are not negative; ONNX cuts the fraction off."""
        return self.apply("Div", other)

    def __matmul__(self, other: Tensor) -> Tensor:
        return self.apply("MatMul", other)

    def __neg__(self) -> Tensor:
        return self.apply("Neg")

    def __lt__(self, other: Operand) -> Tensor:
        return self.apply("Less", other, dtype=BOOL)

    def __le__(self, other: Operand) -> Tensor:
        return self.apply("LessOrEqual", other, dtype=BOOL)

    def __gt__(self, other: Operand) -> Tensor:
        return self.apply("Greater", other, dtype=BOOL)

    def __ge__(self, other: Operand) -> Tensor:
        return self.apply("GreaterOrEqual", other, dtype=BOOL)

    def equals(self, other: Operand) -> Tensor:
        """Compare numbers; `==` compares the objects."""
        return self.apply("Equal", other, dtype=BOOL)

    def __and__(self, other: Tensor) -> Tensor:
        return self.apply("And", other)

    def __or__(self, other: Tensor) -> Tensor:
        return self.apply("Or", other)

    def __invert__(self) -> Tensor:
        return self.apply("Not")

    def minimum(self, other: Operand) -> Tensor:
        """Take the smaller of two at each place."""
        return self.apply("Min", other)

    def maximum(self, other: Operand) -> Tensor:
        """Take the larger of two at each place."""
        return self.apply("Max", other)

    def clip(self, least: Operand, most: Operand) -> Tensor:
        """Bring into a range; its ends may have any shape that fits."""
        return self.maximum(least).minimum(most)

    def floor(self) -> Tensor:
        """Round down."""
        return self.apply("Floor")

    def ceil(self) -> Tensor:
        """Round up."""
        return self.apply("Ceil")

    def round(self) -> Tensor:
        """Round to the nearest whole number; halves go to the even one, as in Python."""
        return self.apply("Round")

    def abs(self) -> Tensor:
        """Drop the sign."""
        return self.apply("Abs")

    def log(self) -> Tensor:
        """Take the natural logarithm."""
        return self.apply("Log")

    def sqrt(self) -> Tensor:
        """Take the square root."""
        return self.apply("Sqrt")

    def as_type(self, dtype: ir.DataType) -> Tensor:
        """Convert the elements; a fraction is cut off."""
        return self if dtype == self.dtype else self.apply("Cast", dtype=dtype, to=dtype.value)

    def sum(self, *axes: int, keep: bool = False) -> Tensor:
        """Sum over the axes, by default over all."""
        chosen = [self.integers(axes)] if axes else []
        return self.apply("ReduceSum", *chosen, keepdims=int(keep))

    def max(self, *axes: int, keep: bool = False) -> Tensor:
        """Take the largest over the axes, by default over all."""
        return self._reduce("ReduceMax", axes, keep)

    def min(self, *axes: int, keep: bool = False) -> Tensor:
        """Take the least over the axes, by default over all."""
        return self._reduce("ReduceMin", axes, keep)

    def mean(self, *axes: int, keep: bool = False) -> Tensor:
        """Take the mean over the axes, by default over all."""
        return self._reduce("ReduceMean", axes, keep)

    def _reduce(self, operator: str, axes: Sequence[int], keep: bool) -> Tensor:
        chosen: dict[str, Any] = {"axes": list(axes)} if axes else {}
        return self.apply(operator, keepdims=int(keep), **chosen)

    def size(self, axis: int) -> Tensor:
        """Return the length of an axis, int64, one element."""
        end = {"end": axis + 1} if axis != -1 else {}
        return self.apply("Shape", dtype=INT64, start=axis, **end)

    def slice(self, axis: int, begin: Operand | None, end: Operand | None) -> Tensor:
        """Cut out a part of one axis."""
        return self._slice([begin], [end], [axis])

    def cut(self, top: Operand | None, bottom: Operand | None, left: Operand | None, right: Operand | None) -> Tensor:
        """Cut a rectangle out of the last two axes."""
        return self._slice([top, left], [bottom, right], [-2, -1])

    def _slice(self, begin: Sequence[Operand | None], end: Sequence[Operand | None], axes: list[int]) -> Tensor:
        first = self.indices([0 if each is None else each for each in begin])
        behind = self.indices([FAR if each is None else each for each in end])
        return self.apply("Slice", first, behind, self.integers(axes))

    def index(self, number: Operand) -> Tensor:
        """Return a number as an integer of one element."""
        return number.as_type(INT64) if isinstance(number, Tensor) else self.integers([int(number)])

    def indices(self, numbers: Sequence[Operand]) -> Tensor:
        """Return numbers as a list of integers, a constant where all of them are known."""
        known = [int(number) for number in numbers if not isinstance(number, Tensor)]
        if len(known) == len(numbers):
            return self.integers(known)
        return join([self.index(number) for number in numbers]) if len(numbers) > 1 else self.index(numbers[0])

    def gather(self, index: Tensor, axis: int = 0) -> Tensor:
        """Take the places of an axis that `index` lists."""
        return self.apply("Gather", index, axis=axis)

    def reshape(self, *shape: int | Tensor) -> Tensor:
        """Give another shape; 0 keeps an axis, -1 takes what is left."""
        return self.apply("Reshape", self.indices(shape))

    def transpose(self, *order: int) -> Tensor:
        """Put the axes in another order."""
        return self.apply("Transpose", perm=list(order))

    def scalar(self) -> Tensor:
        """Drop all axes of a tensor of one element."""
        return self.apply("Squeeze")

    def integers(self, numbers: Sequence[int]) -> Tensor:
        """Return a constant list of integers."""
        return Tensor(self.recorder.constant(np.array(numbers, np.int64)), INT64, self.recorder)

    def floats(self, numbers: NDArray[Any]) -> Tensor:
        """Return a constant array of float32."""
        return Tensor(self.recorder.constant(numbers.astype(np.float32)), FLOAT, self.recorder)

    def like(self, number: float) -> Tensor:
        """Return a number as a constant of this tensor's type."""
        return Tensor(self.recorder.constant(np.array(number, self.dtype.numpy())), self.dtype, self.recorder)

    def apply(
        self, operator: str, *operands: Operand | None, dtype: ir.DataType | None = None, **attributes: Any
    ) -> Tensor:
        """Write an operator down whose first input is this tensor, and return its output.

        Args:
            operator: of ONNX.
            operands: further inputs; numbers become constants of this tensor's type.
            dtype: type of the output, by default that of this tensor.
            attributes: of the operator.
        """
        others = [
            operand.value if isinstance(operand, Tensor) else None if operand is None else self.like(operand).value
            for operand in operands
        ]
        made = self.recorder.node(operator, [self.value, *others], attributes)
        return Tensor(made, dtype or self.dtype, self.recorder)


Operand = Tensor | float


def where(condition: Tensor, yes: Tensor, no: Operand) -> Tensor:
    """Take from `yes` where the condition holds, else from `no`."""
    return condition.apply("Where", yes, no if isinstance(no, Tensor) else yes.like(no), dtype=yes.dtype)


def join(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Put tensors one after the other."""
    first, *others = tensors
    return first.apply("Concat", *others, axis=axis)


def arange(count: Tensor, dtype: ir.DataType = FLOAT) -> Tensor:
    """Count from 0; (count,)."""
    # In integers: ONNX Runtime takes a length that it knows for an integer, and refuses floats beside it.
    end = count.scalar()
    return end.like(0).apply("Range", end, 1).as_type(dtype)


def choose(
    condition: Tensor, yes: Callable[[], Sequence[Tensor]], no: Callable[[], Sequence[Tensor]], names: tuple[str, str]
) -> list[Tensor]:
    """Run one of two branches.

    Args:
        condition: bool, one element.
        yes: writes the branch down that runs where the condition holds, and returns what leaves it.
        no: the same for the other branch; as many tensors, of the same types.
        names: sections of the two branches.
    """
    recorder = condition.recorder
    types: list[ir.DataType] = []

    def leaving(branch: Callable[[], Sequence[Tensor]]) -> list[tuple[ir.Value, ir.DataType]]:
        tensors = branch()
        types[:] = [tensor.dtype for tensor in tensors]
        return [(tensor.value, tensor.dtype) for tensor in tensors]

    decision = condition.scalar().value
    branches = {
        "then_branch": recorder.branch(names[0], lambda: leaving(yes)),
        "else_branch": recorder.branch(names[1], lambda: leaving(no)),
    }
    outputs = recorder.node_of_many("If", [decision], branches, len(types))
    return [Tensor(value, dtype, recorder) for value, dtype in zip(outputs, types, strict=True)]
