"""Reshapes whose target is computed at run time, though it is known: give them a constant.

tf2onnx turns Flatten into Shape, Gather, Cast, Slice, Concat, Cast and Reshape, or into one Reshape, as the hash seed
of the process has it. With at most one dynamic axis in the inferred output shape, the target is the constant shape
with -1 in that axis, and the chain that computed it is dead.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.passes.graph import add_constant, infer_shapes


def make_reshapes_constant(model: ir.Model) -> int:
    """Give each Reshape with a known output shape a constant target; return how many changed."""
    changed = 0
    infer_shapes(model)
    for node in model.graph:
        if node.op_type != "Reshape" or node.inputs[1] is None or node.inputs[1].is_initializer():
            continue
        shape = node.outputs[0].shape
        if shape is None or sum(not isinstance(axis, int) for axis in shape) > 1:
            continue
        target = [axis if isinstance(axis, int) else -1 for axis in shape]
        node.replace_input_with(1, add_constant(model, np.array(target, np.int64)))
        changed += 1
    RemoveUnusedNodesPass()(model)
    return changed
