"""From the QDQ file to faster ones with equal answers: one in standard operators, one in ONNX Runtime's own."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.graph.editing import infer_shapes, nodes_of
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.simplify import finish
from edgeconv.conversion.int8.native.blocking import Blocking
from edgeconv.conversion.int8.native.borders import cut_borders
from edgeconv.conversion.int8.native.flattening import flatten_channels_last
from edgeconv.conversion.int8.native.gemm import move_weights
from edgeconv.conversion.int8.native.grouping import group_outputs
from edgeconv.conversion.int8.native.lowering import DOMAIN, Lowering, Rule, follow_moves
from edgeconv.conversion.int8.native.maps import lower_average_pool, lower_convolution, lower_max_pool
from edgeconv.conversion.int8.native.rows import (
    lower_concat,
    lower_dense,
    lower_last_dense,
    lower_move,
    lower_sum,
)

ORT_OPERATORS_SINCE = "1.11"
"""The first release of ONNX Runtime with all operators that `to_native` writes: QGemm is the youngest of them."""

DEFAULT = Blocking()
"""The fastest on most processors."""

RULES: Sequence[Rule] = (
    lower_convolution,
    lower_max_pool,
    lower_average_pool,
    lower_dense,
    lower_sum,
    lower_concat,
    lower_move,
)
"""Tried in this order at each QuantizeLinear; each refuses what is not its own."""


def to_blocked(int8: onnx.ModelProto, blocking: Blocking = DEFAULT) -> onnx.ModelProto:
    """Return the QDQ model with the same integers out of fewer steps, in standard operators.

    Pixels that no output depends on are cut off; a first convolution of few channels makes a whole window of the
    max-pool behind it at each position; maps are flattened as they lie in memory.

    Args:
        int8: a QDQ model; not changed.
        blocking: the shape of the blocks. Where it does not divide the sizes, the convolution stays as it is.

    Example:
        >>> to_blocked(onnx.load("exported/mnist/model.int8.onnx"))  # doctest: +SKIP
    """
    model = _rewritten(int8, blocking)
    return finish(model, layer_of_named)


def to_native(int8: onnx.ModelProto, blocking: Blocking = DEFAULT, *, unsigned_weights: bool = True) -> onnx.ModelProto:
    """Return the QDQ model written in ONNX Runtime's own integer operators, maps with their channels last.

    Every int8 tensor holds the same integers as in the QDQ model under ONNX Runtime, and what is computed in float is
    computed of the same integers by the same kernels. What has no such operator stays as it is in the midst of them.

    Args:
        int8: a QDQ model; not changed.
        blocking: see `to_blocked`.
        unsigned_weights: write int8 weights as uint8, moved up by 128. ONNX Runtime does not recode the weights of its
            own QLinearConv, as it does those of a QDQ file (`session.x64quantprecision`): with signed weights the sums
            overflow on an x86 without VNNI. Right on every processor; on one with VNNI, and on ARM, signed weights are
            faster, and as right.

    Example:
        >>> to_native(onnx.load("exported/mnist/model.int8.onnx"))  # doctest: +SKIP
    """
    model = _rewritten(int8, blocking)
    lowering = Lowering(model, unsigned_weights=unsigned_weights)
    for node in nodes_of(model, "QuantizeLinear", "Transpose"):
        if node.outputs[0].is_graph_output():
            continue
        if node.op_type == "Transpose":
            follow_moves(lowering, node)
        else:
            any(rule(lowering, node) for rule in RULES)
    lower_last_dense(lowering)
    model.opset_imports[DOMAIN] = 1
    RemoveUnusedNodesPass()(model)
    return finish(model, layer_of_named)


def to_gemm(int8: onnx.ModelProto) -> onnx.ModelProto:
    """Return the QDQ model with its large convolutions by matrix products, or itself where it has none.

    Args:
        int8: a QDQ model; not changed. See `move_weights`.
    """
    model = _read(int8)
    if not move_weights(model):
        return int8
    RemoveUnusedNodesPass()(model)
    return finish(model, layer_of_named)


def _rewritten(int8: onnx.ModelProto, blocking: Blocking) -> ir.Model:
    model = _read(int8)
    infer_shapes(model)
    if blocking.cut and cut_borders(model):
        _infer_anew(model)
    flatten_channels_last(model)
    infer_shapes(model)
    if group_outputs(model, blocking.windows, blocking.view):
        _infer_anew(model)
    RemoveUnusedNodesPass()(model)
    return model


def _read(int8: onnx.ModelProto) -> ir.Model:
    own = onnx.ModelProto()
    own.CopyFrom(int8)  # Constants of onnx-ir are those of the protobuf, and take other names with it.
    return ir.from_proto(own)


def _infer_anew(model: ir.Model) -> None:
    """Infer all shapes, where maps have become smaller: inference keeps what is there."""
    for node in model.graph:
        for value in node.outputs:
            value.shape = value.shape if value.is_graph_output() else None
    infer_shapes(model)
