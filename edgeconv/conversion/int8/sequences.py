"""Networks on sequences in the form that int8 suits: products with their biases, attention without reshapes, GELU."""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import NameFixPass, RemoveUnusedNodesPass

from edgeconv.conversion.graph.passes.reshapes import merge_reshapes
from edgeconv.conversion.graph.passes.transposes import merge_transposes
from edgeconv.conversion.int8.attention import keep_heads
from edgeconv.conversion.int8.batch_shapes import state_shapes
from edgeconv.conversion.int8.dense_rows import multiply_rows
from edgeconv.conversion.int8.gelu import write_gelu

_ROUNDS = 4


def with_rows(fp32: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float model whose dense layers multiply rows; itself where it has none, or other dynamic axes.

    Nodes and values that stand for the same as before have the same names.

    Args:
        fp32: the verified fp32 model; not changed.
    """
    if not any(node.op_type == "MatMul" for node in fp32.graph.node):
        return fp32
    own = onnx.ModelProto()
    own.CopyFrom(fp32)  # Constants of onnx-ir are those of the protobuf, and take other names with it.
    model = ir.from_proto(own)
    if not state_shapes(model):
        return fp32
    _merge(model)
    if not keep_heads(model) + multiply_rows(model) + write_gelu(model):
        return fp32
    RemoveUnusedNodesPass()(model)
    _merge(model)
    RemoveUnusedNodesPass()(model)
    NameFixPass()(model)
    for node in model.graph:
        for value in node.outputs:
            value.shape = value.shape if value.is_graph_output() else None
    return ir.to_proto(model)


def _merge(model: ir.Model) -> None:
    for _ in range(_ROUNDS):
        if not merge_reshapes(model) + merge_transposes(model):
            break
