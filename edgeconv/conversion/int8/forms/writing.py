"""From the QDQ file to faster ones with equal answers, in standard operators."""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.graph.editing import infer_shapes
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.simplify import finish
from edgeconv.conversion.int8.forms.blocking import RULE, Choice
from edgeconv.conversion.int8.forms.borders import cut_borders
from edgeconv.conversion.int8.forms.flattening import flatten_channels_last
from edgeconv.conversion.int8.forms.gemm import move_weights
from edgeconv.conversion.int8.forms.grouping import group_outputs
from edgeconv.conversion.int8.forms.pointwise import chain_pointwise
from edgeconv.conversion.int8.forms.widening import widen_depthwise


def to_blocked(int8: onnx.ModelProto, blocking: Choice = RULE) -> onnx.ModelProto:
    """Return the QDQ model with the same integers out of fewer steps, in standard operators.

    Pixels that no output depends on are cut off; a first convolution of few channels makes a whole window of the
    max-pool behind it at each position; maps are flattened as they lie in memory; depthwise convolutions get a number
    of channels that kernels take; dense layers one behind the other become pointwise convolutions.

    Args:
        int8: a QDQ model; not changed.
        blocking: the shape of the blocks. Where none divides the sizes, the convolution stays as it is.

    Returns:
        Another model, or the one given where there is nothing to change.

    Example:
        >>> to_blocked(onnx.load("exported/mnist/model.int8.onnx"))  # doctest: +SKIP
    """
    model = _read(int8)
    infer_shapes(model)
    widened = widen_depthwise(model) if blocking.wide else 0
    if widened:
        _infer_anew(model)
    cut = cut_borders(model) if blocking.cut else 0
    if cut:
        _infer_anew(model)
    flattened = flatten_channels_last(model)
    infer_shapes(model)
    grouped = group_outputs(model, blocking)
    if grouped:
        _infer_anew(model)
    chained = chain_pointwise(model)
    if not widened + cut + flattened + grouped + chained:
        return int8
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
