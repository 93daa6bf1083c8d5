"""What runs or not, and what runs over and over: branches and loops, each written down once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.embedding.tensors import BOOL, INT64, Tensor

Values = Sequence[tuple[ir.Value, ir.DataType]]


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

    def leaving(branch: Callable[[], Sequence[Tensor]]) -> Values:
        tensors = branch()
        types[:] = [tensor.dtype for tensor in tensors]
        return [(tensor.value, tensor.dtype) for tensor in tensors]

    decision = condition.scalar().value
    branches = {
        "then_branch": recorder.body(names[0], [], lambda _: leaving(yes)),
        "else_branch": recorder.body(names[1], [], lambda _: leaving(no)),
    }
    outputs = recorder.node_of_many("If", [decision], branches, len(types))
    return [Tensor(value, dtype, recorder) for value, dtype in zip(outputs, types, strict=True)]


def repeat(
    name: str,
    most: int,
    step: Callable[..., Sequence[Tensor]],
    *carried: Tensor,
    again: Callable[..., Tensor] | None = None,
) -> list[Tensor]:
    """Run the same operators over and over.

    Args:
        name: section of the loop.
        most: how often it runs; with `again`, at most.
        step: takes what is carried from round to round and returns what takes its place: tensors of the same types,
            but of any shapes. It may read what lies around it.
        carried: what the first round is given.
        again: takes what a round has made, and tells whether another one follows: bool, one element.

    Returns:
        What the last round has made.
    """
    recorder = carried[0].recorder
    types = [tensor.dtype for tensor in carried]

    def write(inputs: Sequence[ir.Value]) -> Values:
        counter, go_on, *values = inputs
        counter.shape = go_on.shape = ir.Shape([])  # ONNX Runtime wants to know these
        made = step(*(Tensor(value, dtype, recorder) for value, dtype in zip(values, types, strict=True)))
        if again is not None:
            go_on = again(*made).scalar().value
        return [(go_on, BOOL), *((tensor.value, tensor.dtype) for tensor in made)]

    start = [recorder.constant(np.array(most)), recorder.constant(np.array(True)), *(each.value for each in carried)]
    body = recorder.body(name, [INT64, BOOL, *types], write)
    outputs = recorder.node_of_many("Loop", start, {"body": body}, len(types))
    return [Tensor(value, dtype, recorder) for value, dtype in zip(outputs, types, strict=True)]
