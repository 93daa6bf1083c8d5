"""From the graph that tf2onnx leaves to the one that ships: short, named after the layers, equal in every process."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import (
    DeduplicateInitializersPass,
    IdentityEliminationPass,
    LiftConstantsToInitializersPass,
    RemoveUnusedNodesPass,
    RemoveUnusedOpsetsPass,
    TopologicalSortPass,
)

from edgeconv.conversion.layer_names import layer_of_traced, name_after_layers
from edgeconv.conversion.passes.dense import absorb_transposes, fuse_dense
from edgeconv.conversion.passes.reshapes import make_reshapes_constant
from edgeconv.conversion.passes.scaling import fold_scaling


def clean(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the same answers, without what does nothing, and with names for people.

    The batch axis of input and output is named `batch`; constants computed at run time become constants; dense layers
    are one Gemm; the scaling of pixels lies in the first layer's weights; nodes are named after Keras layers.
    """
    _name_dynamic_axes(proto)
    model = ir.from_proto(proto)
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    IdentityEliminationPass()(model)
    make_reshapes_constant(model)
    fuse_dense(model)
    absorb_transposes(model)
    fold_scaling(model)
    DeduplicateInitializersPass()(model)
    return finish(model, layer_of_traced)


def finish(model: ir.Model, layer_of: Callable[[str], str | None]) -> onnx.ModelProto:
    """Return a model as protobuf that is equal in every process: without dead nodes, named after the layers.

    Equal constants are not merged here: ONNX Runtime cannot recode the int8 weights of two layers that share a zero
    point, which it must do on processors without VNNI (see `runtime.processor`).

    Args:
        model: changed in place.
        layer_of: tells a node's layer from its present name.
    """
    RemoveUnusedNodesPass()(model)
    TopologicalSortPass()(model)
    RemoveUnusedOpsetsPass()(model)
    name_after_layers(model, layer_of)
    _order_initializers(model)
    model.producer_name = "edgeconv"
    model.producer_version = None
    model.doc_string = None
    return ir.to_proto(model)


def _order_initializers(model: ir.Model) -> None:
    """Put the constants in the order in which the nodes read them; tf2onnx's order depends on the hash seed."""
    values = {value.name: value for node in model.graph for value in node.inputs if value and value.is_initializer()}
    model.graph.initializers.clear()
    for value in values.values():
        model.graph.register_initializer(value)
    for node in model.graph:  # Inferred shapes name dynamic axes by a counter.
        for value in node.outputs:
            if not value.is_graph_output():
                value.shape = value.type = None


def _name_dynamic_axes(proto: onnx.ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, ("batch", "height", "width"), strict=False):
            if not axis.HasField("dim_value"):
                axis.dim_param = name
