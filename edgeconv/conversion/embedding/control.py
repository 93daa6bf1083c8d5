"""What runs or not: branches, each written down once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import onnx_ir as ir

from edgeconv.conversion.embedding.tensors import Tensor

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

    branches = {
        "then_branch": recorder.body(names[0], [], lambda _: leaving(yes)),
        "else_branch": recorder.body(names[1], [], lambda _: leaving(no)),
    }
    outputs = recorder.node_of_many("If", [condition.value], branches, len(types))
    return [Tensor(value, dtype, recorder) for value, dtype in zip(outputs, types, strict=True)]
