"""From the graph that tf2onnx leaves to the one that ships: short, named after the layers, equal in every process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import (
    CommonSubexpressionEliminationPass,
    DeduplicateHashedInitializersPass,
    LiftConstantsToInitializersPass,
    LiftSubgraphInitializersToMainGraphPass,
    RemoveUnusedNodesPass,
    RemoveUnusedOpsetsPass,
)

from edgeconv.conversion.graph.defaults import leave_out_defaults, share_zero_points
from edgeconv.conversion.graph.layer_names import give_layers, layer_of_traced, name_after_layers
from edgeconv.conversion.graph.order import order_nodes
from edgeconv.conversion.graph.passes.activations import fuse_hard_sigmoid, fuse_hard_swish, fuse_prelu
from edgeconv.conversion.graph.passes.affine import fold_affine_into_layers, merge_affine
from edgeconv.conversion.graph.passes.axes import name_input_axes, name_output_axes
from edgeconv.conversion.graph.passes.channel_order import fold_channel_order
from edgeconv.conversion.graph.passes.constants import fold_constants, share_equal_constants
from edgeconv.conversion.graph.passes.dense import absorb_transposes, fuse_dense
from edgeconv.conversion.graph.passes.identities import drop_identities, settle_identities_in_bodies
from edgeconv.conversion.graph.passes.layer_norm import fuse_layer_norm
from edgeconv.conversion.graph.passes.pads import fold_pads
from edgeconv.conversion.graph.passes.pooling import pool_maps, reduce_before_transposes
from edgeconv.conversion.graph.passes.recurrence import start_from_zeros, take_last_state
from edgeconv.conversion.graph.passes.reshapes import make_reshapes_constant, merge_reshapes
from edgeconv.conversion.graph.passes.scaling import fold_scaling
from edgeconv.conversion.graph.passes.sequences import multiply_sequences
from edgeconv.conversion.graph.passes.transposes import merge_transposes, move_transposes_up

Pass = Callable[[ir.Model], int]
"""Changes a model in place, and returns the number of changes; see `passes`."""

PASSES: Sequence[Pass] = (
    drop_identities,
    fold_constants,
    reduce_before_transposes,
    pool_maps,
    merge_transposes,
    move_transposes_up,
    merge_reshapes,
    fold_pads,
    multiply_sequences,
    start_from_zeros,
    take_last_state,
    fuse_dense,
    absorb_transposes,
    fold_affine_into_layers,
    merge_affine,
    fuse_layer_norm,
    fuse_prelu,
    fuse_hard_sigmoid,
    fuse_hard_swish,
    fold_scaling,
    fold_channel_order,
)
"""One idea each, in the order in which they help one another."""

_SMALL = 1024
"""Elements of a constant that may be equal to another by chance of the tracer; large ones are shared at the end."""

_LARGE_BYTES = 4096

_ROUNDS = 10
"""A pass may make work for one before it; graphs of `keras.applications` are done after three rounds."""


def simplify(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the same answers, without what does nothing, and with names for people.

    Dynamic axes have names; constants computed at run time become constants; dense layers are one Gemm; what scales
    and shifts lies in the weights; transposes cancel; activations are one operator where ONNX has it; nodes are named
    after Keras layers.
    """
    model = _with_own_weights(proto)
    del proto  # Frees it here, if the caller did not keep it: two copies of the weights are enough.
    name_input_axes(model)
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
    LiftSubgraphInitializersToMainGraphPass()(model)
    drop_identities(model)
    settle_identities_in_bodies(model)
    RemoveUnusedNodesPass()(model)
    order_nodes(model)
    give_layers(model, layer_of_traced)
    for _ in range(_ROUNDS):
        DeduplicateHashedInitializersPass(size_limit=_SMALL)(model)
        CommonSubexpressionEliminationPass()(model)
        make_reshapes_constant(model)
        if not sum(change(model) for change in PASSES):
            break
        _let_go(value for value in model.graph.initializers.values() if not value.uses())
        RemoveUnusedNodesPass()(model)
    share_equal_constants(model)
    name_output_axes(model)
    return finish(model, layer_of_traced)


def _with_own_weights(proto: onnx.ModelProto) -> ir.Model:
    """Return a model whose large constants are arrays: those in a protobuf are copied each time they are read."""
    bare = onnx.ModelProto(ir_version=proto.ir_version, producer_name=proto.producer_name)
    for repeated in ("opset_import", "metadata_props", "functions"):
        getattr(bare, repeated).extend(getattr(proto, repeated))
    bare.graph.name = proto.graph.name
    for repeated in ("node", "input", "output", "value_info"):
        getattr(bare.graph, repeated).extend(getattr(proto.graph, repeated))
    large: dict[str, ir.TensorProtocol] = {}
    for tensor in proto.graph.initializer:
        if tensor.ByteSize() > _LARGE_BYTES and tensor.data_type != onnx.TensorProto.STRING:
            large[tensor.name] = ir.Tensor(onnx.numpy_helper.to_array(tensor), name=tensor.name)
            tensor = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        bare.graph.initializer.append(tensor)
    model = ir.from_proto(bare)
    for name, array in large.items():
        model.graph.initializers[name].const_value = array
    return model


def finish(model: ir.Model, layer_of: Callable[[str], str | None]) -> onnx.ModelProto:
    """Return a model as protobuf that is equal in every process: without dead nodes, named after the layers.

    Of equal constants only the zero points of activations are merged here, see `share_zero_points`.

    Args:
        model: changed in place, and without its constants afterwards.
        layer_of: tells a node's layer from its present name.
    """
    share_zero_points(model)
    RemoveUnusedNodesPass()(model)
    order_nodes(model)
    RemoveUnusedOpsetsPass()(model)
    quantized = leave_out_defaults(model)
    name_after_layers(model, layer_of)
    _order_initializers(model)
    _forget_shapes(model)
    model.producer_name = "edgeconv"
    model.producer_version = None
    model.doc_string = None
    proto = ir.to_proto(model)
    if quantized:  # What is left are constants, which say themselves what they are.
        del proto.graph.value_info[:]
    _let_go(model.graph.initializers.values())
    return proto


def _let_go(values: Iterable[ir.Value]) -> None:
    """Free constants that nobody reads again: graphs of onnx-ir are cycles, which Python frees at its leisure."""
    for value in values:
        if not value.is_graph_output():
            value.const_value = None


def _order_initializers(model: ir.Model) -> None:
    """Put the constants in the order in which the nodes read them; tf2onnx's order depends on the hash seed."""
    read = [value for node in model.graph.all_nodes() for value in node.inputs if value and value.is_initializer()]
    values = {value.name: value for value in (*read, *model.graph.outputs) if value.is_initializer()}
    model.graph.initializers.clear()
    for value in values.values():
        model.graph.register_initializer(value)


def _forget_shapes(model: ir.Model) -> None:
    """Forget inferred shapes, which name dynamic axes by a counter; the graphs in a graph keep their declarations."""
    for graph in model.graphs():
        for node in graph:
            for value in node.outputs:
                if not value.is_graph_output():
                    value.shape = value.type = None
        if graph is not model.graph:
            for value in (*graph.inputs, *graph.outputs):
                if value.shape is not None:
                    value.shape = ir.Shape([size if isinstance(size, int) else None for size in value.shape])
