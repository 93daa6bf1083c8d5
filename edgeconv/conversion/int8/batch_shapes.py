"""Shapes of a graph whose only dynamic axis is the batch: inferred at two batch sizes, and compared.

Inference with a name for the batch loses it where attention folds it together with the heads.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.graph.editing import add_constant, constant, nodes_of, sizes
from edgeconv.conversion.graph.passes.reshapes import make_reshapes_constant

BATCHES = 5, 7
"""Sizes of the batch."""


def state_shapes(model: ir.Model) -> bool:
    """Give values their shapes, and reshapes constants in place of what is computed; return whether that could be done.

    Axes that are multiples of the batch have equal names where they are equal. With other dynamic axes than the first
    ones of the inputs, nothing changes.

    Args:
        model: changed in place.
    """
    inputs = [sizes(value) for value in model.graph.inputs]
    dynamic = {(place, size) for shape in inputs for place, size in enumerate(shape or ()) if not isinstance(size, int)}
    if None in inputs or len(dynamic) > 1 or any(place for place, _ in dynamic):
        return False
    found = [_shapes_at(ir.to_proto(model), batch) for batch in BATCHES]
    for node in model.graph:
        for value in node.outputs:
            small, large = (shapes.get(value.name or "") for shapes in found)
            if small is not None and large is not None and len(small) == len(large):
                value.shape = ir.Shape([_axis(one, two) for one, two in zip(small, large, strict=True)])
    for node in nodes_of(model, "Reshape"):
        target = reshape_target(node.outputs[0])
        if constant(node.inputs[1]) is None and target is not None:
            node.replace_input_with(1, add_constant(model, target))
    RemoveUnusedNodesPass()(model)
    return True


def reshape_target(value: ir.Value) -> np.ndarray | None:
    """Return what to reshape to for a value's shape, or None where more than one axis is dynamic or it is not known."""
    shape = sizes(value)
    if shape is None or sum(not isinstance(size, int) for size in shape) > 1:
        return None
    return np.array([size if isinstance(size, int) else -1 for size in shape], np.int64)


def _axis(one: int, two: int) -> int | str | None:
    if one == two:
        return one
    times, remainder = divmod(one, BATCHES[0])
    return f"batch*{times}" if not remainder and two == times * BATCHES[1] else None


def _shapes_at(proto: onnx.ModelProto, batch: int) -> dict[str, tuple[int, ...]]:
    model = ir.from_proto(proto)
    for value in model.graph.inputs:
        value.shape = ir.Shape([size if isinstance(size, int) else batch for size in value.shape or ()])
    for value in model.graph.outputs:
        value.shape = None
    make_reshapes_constant(model)
    found: dict[str, tuple[int, ...]] = {}
    for node in model.graph:
        for value in node.outputs:
            shape = sizes(value)
            known = [size for size in shape or () if isinstance(size, int)]
            if shape is not None and len(known) == len(shape):
                found[value.name or ""] = tuple(known)
    return found
