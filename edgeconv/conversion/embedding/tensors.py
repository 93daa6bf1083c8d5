"""Arrays that are not there yet: arithmetic on them writes ONNX operators down.

So the modules beside this one read as the numpy modules that they mirror. Numbers that are only known when the graph
runs, such as the height of the picture, are tensors of one element, and may bound a slice.

Not traced from numpy's own code through the Array API: `ndonnx` 0.23 made 480 nodes (68 kB, after clean-up) of the
resize of colours alone, where this writes 118 (10 kB) for all kinds of pictures; both take equally long, and `ndonnx`
has no branches, which let a prepared digit skip the search for ink.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def minimum(self, other: Operand) -> Tensor:
        """Take the smaller of two at each place."""
        return self.apply("Min", other)

    def maximum(self, other: Operand) -> Tensor:
        """Take the larger of two at each place."""
        return self.apply("Max", other)

    def clip(self, least: float, most: float) -> Tensor:
        """Bring into a range."""
        return self.apply("Clip", least, most)

    def ramp(self, slope: float, offset: float) -> Tensor:
        """Multiply by a slope, add an offset, bring into 0 to 1: one node of floats, where `clip` makes three."""
        return self.apply("HardSigmoid", alpha=float(slope), beta=float(offset))

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

    def max(self, *axes: int) -> Tensor:
        """Take the largest over the axes, by default over all."""
        return self._reduce("ReduceMax", axes)

    def min(self, *axes: int, keep: bool = False) -> Tensor:
        """Take the least over the axes, by default over all."""
        return self._reduce("ReduceMin", axes, keep=keep)

    def norm(self, *axes: int) -> Tensor:
        """Take the root of the sum of squares over the axes."""
        return self._reduce("ReduceL2", axes)

    def mean(self, *axes: int) -> Tensor:
        """Take the mean over the axes, by default over all."""
        return self._reduce("ReduceMean", axes)

    def _reduce(self, operator: str, axes: Sequence[int], *, keep: bool = False) -> Tensor:
        chosen: dict[str, Any] = {"axes": list(axes)} if axes else {}
        return self.apply(operator, keepdims=int(keep), **chosen)

    def sizes(self, begin: int, end: int | None = None) -> Tensor:
        """Return the lengths of several axes, int64, one element each."""
        return self.apply("Shape", dtype=INT64, start=begin, **({} if end is None else {"end": end}))

    def size(self, axis: int) -> Tensor:
        """Return the length of an axis, int64, one element."""
        return self.sizes(axis, None if axis == -1 else axis + 1)

    def slice(self, axis: int, begin: Operand | None, end: Operand | None) -> Tensor:
        """Cut out a part of one axis."""
        first, behind = self.index(0 if begin is None else begin), self.index(FAR if end is None else end)
        return self.apply("Slice", first, behind, self.integers([axis]))

    def cut(self, begin: Tensor, end: Tensor) -> Tensor:
        """Cut a rectangle out of the last two axes; two integers each."""
        return self.apply("Slice", begin, end, self.integers([-2, -1]))

    def index(self, number: Operand) -> Tensor:
        """Return a number as an integer of one element."""
        return number.as_type(INT64) if isinstance(number, Tensor) else self.integers([int(number)])

    def indices(self, numbers: Sequence[Operand]) -> Tensor:
        """Return numbers as a list of integers, a constant where all of them are known."""
        known = [int(number) for number in numbers if not isinstance(number, Tensor)]
        if len(known) == len(numbers):
            return self.integers(known)
        return join([self.index(number) for number in numbers]) if len(numbers) > 1 else self.index(numbers[0])

    def gather(self, index: Tensor) -> Tensor:
        """Take the places of the first axis that `index` lists."""
        return self.apply("Gather", index)

    def split(self, axis: int, parts: int = 2) -> list[Tensor]:
        """Cut an axis into equal parts; one node, as ONNX Runtime would make of several that cut."""
        made = self.recorder.node_of_many("Split", [self.value], {"axis": axis}, parts)
        return [Tensor(value, self.dtype, self.recorder) for value in made]

    def convolve(self, kernel: Tensor) -> Tensor:
        """Slide a kernel, (maps made, maps read, rows, columns), over maps, nothing added around them.

        A computed one: ONNX Runtime lays out a constant one anew, and then looks through the whole graph once more.
        """
        return self.apply("Conv", kernel)

    def running_sum(self, axis: int) -> Tensor:
        """Add up each element and all before it on an axis."""
        return self.apply("CumSum", Tensor(self.recorder.constant(np.array(axis)), INT64, self.recorder))

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

    def array(self, numbers: NDArray[Any], dtype: ir.DataType = FLOAT) -> Tensor:
        """Return a constant array."""
        return Tensor(self.recorder.constant(numbers.astype(dtype.numpy())), dtype, self.recorder)

    def like(self, number: float) -> Tensor:
        """Return a number as a constant of this tensor's type."""
        return Tensor(self.recorder.constant(np.array(number, self.dtype.numpy())), self.dtype, self.recorder)

    def apply(self, operator: str, *operands: Operand, dtype: ir.DataType | None = None, **attributes: Any) -> Tensor:
        """Write an operator down whose first input is this tensor, and return its output.

        Args:
            operator: of ONNX.
            operands: further inputs; numbers become constants of this tensor's type.
            dtype: type of the output, by default that of this tensor.
            attributes: of the operator.
        """
        others = [operand if isinstance(operand, Tensor) else self.like(operand) for operand in operands]
        made = self.recorder.node(operator, [self.value, *(other.value for other in others)], attributes)
        return Tensor(made, dtype or self.dtype, self.recorder)


Operand = Tensor | float


def where(condition: Tensor, yes: Tensor, no: Operand) -> Tensor:
    """Take from `yes` where the condition holds, else from `no`."""
    return condition.apply("Where", yes, no if isinstance(no, Tensor) else yes.like(no), dtype=yes.dtype)


def join(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Put tensors one after the other."""
    first, *others = tensors
    return first.apply("Concat", *others, axis=axis)


def arange(end: Tensor, dtype: ir.DataType = FLOAT, step: int = 1) -> Tensor:
    """Count from 0 in steps, up to an end without axes that is left out."""
    # In integers: ONNX Runtime takes a length that it knows for an integer, and refuses floats beside it.
    return end.like(0).apply("Range", end, step).as_type(dtype)
