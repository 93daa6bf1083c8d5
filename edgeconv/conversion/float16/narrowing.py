"""float16: half the bytes of the weights, and arithmetic that phones and GPUs do twice as fast.

ONNX Runtime's own converter (`onnxruntime.transformers.float16`) is not used: it clips constants beyond 65504 in
silence, knows operators to leave alone but no ranges, and casts the values of a subgraph outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.float16.float32_nodes import float32_nodes, holds
from edgeconv.conversion.float16.magnitudes import computed_floats, largest_values
from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.errors import UnsupportedModelError

EXACT = {ir.DataType.UINT8, ir.DataType.INT8, ir.DataType.BOOL}
"""Whole numbers of which float16 holds each one; it holds all of them up to 2048."""

WORTH_A_CAST = 1024
"""Numbers in a constant, from which on a float32 node reads it as float16 through a Cast, for the size of the file."""

Feeds = Mapping[str, NDArray[Any]]
Place = tuple[ir.Node, int]
"""A node, and which of its inputs."""


def to_fp16(fp32: onnx.ModelProto, feeds: Feeds | None = None) -> onnx.ModelProto:
    """Return the model with float16 weights and arithmetic, and the same inputs and outputs; equal for equal arguments.

    In float32 remain: inputs and outputs of that type, what `float32_nodes` names, and constants that float16 cannot
    hold. Where the two meet stands a Cast, one for all readers, named after its layer. Nodes keep their names.

    Args:
        fp32: left as it is. Nodes are named ``layer/Operator``.
        feeds: examples of its inputs, by name. Tensors that come near float16's largest number on them stay float32;
            without examples only the verification finds those.

    Raises:
        UnsupportedModelError: it computes nothing in float32.
    """
    inferred = onnx.shape_inference.infer_shapes(fp32)
    if not computed_floats(inferred):
        raise UnsupportedModelError(
            "float16 requires a model that computes in float32. Received: one that does not, as of float64 or whole "
            "numbers. Export it without `--fp16`."
        )
    model = ir.from_proto(inferred)
    graph = model.graph
    kept = float32_nodes(graph, largest_values(inferred, feeds) if feeds is not None else {})
    half = [node for node in graph if node not in kept and _is_half(node)]
    halves = set(half)
    used = {node.name for node in graph}

    def narrow(value: ir.Value) -> list[Place]:
        """Return the places that read a value as float16."""
        return [
            (use.node, use.idx) for use in value.uses() if use.node in halves and _formal_is_half(use.node, use.idx)
        ]

    for value in list(graph.initializers.values()):
        if value.dtype == ir.DataType.FLOAT:
            _narrow_constant(graph, value, narrow(value), used)
    sources = [*graph.inputs, *(value for node in graph if node not in halves for value in node.outputs)]
    for value in sources:
        if value.dtype == ir.DataType.FLOAT and (places := narrow(value)):
            _replace(places, _cast(graph, value, ir.DataType.FLOAT16, used))
    for node in half:
        if node.op_type == "Cast" and node.attributes["to"].as_int() == ir.DataType.FLOAT:
            node.attributes["to"] = ir.AttrInt64("to", int(ir.DataType.FLOAT16))
        for value in node.outputs:
            if value.dtype == ir.DataType.FLOAT:
                value.type = ir.TensorType(ir.DataType.FLOAT16)
                _widen(graph, value, set(narrow(value)), used)
    return _to_proto(model)


def rounded(fp16: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float32 model that rounds each float16 tensor of a model to float16, for the verification on a CPU.

    ONNX Runtime has float16 kernels for few operators of x86. It computes the others in float32 and leaves out the
    roundings in between, also those that would be infinite: there a float16 file shows nothing but its rounded
    weights. This twin has Casts that ONNX Runtime keeps, and answers as hardware that stores float16 and sums in
    float32.

    Args:
        fp16: of `to_fp16`; left as it is.
    """
    model = ir.from_proto(onnx.shape_inference.infer_shapes(fp16))
    graph = model.graph
    for value in graph.initializers.values():
        if value.dtype == ir.DataType.FLOAT16 and value.const_value is not None:
            value.const_value = ir.tensor(value.const_value.numpy().astype(np.float32), name=value.name)
            value.type = ir.TensorType(ir.DataType.FLOAT)
    used = {node.name for node in graph}
    for node in list(graph):
        for value in [value for value in node.outputs if value.dtype == ir.DataType.FLOAT16]:
            places = [(use.node, use.idx) for use in value.uses()]
            narrow = value if node.op_type == "Cast" else _cast(graph, value, ir.DataType.FLOAT16, used)
            _replace(places, _cast(graph, narrow, ir.DataType.FLOAT, used))
    return _to_proto(model)


def _is_half(node: ir.Node) -> bool:
    if node.domain or "dtype" in node.attributes:  # What makes numbers of its own type keeps that.
        return False
    if node.op_type == "Cast" and node.attributes["to"].as_int() == ir.DataType.FLOAT:
        return node.inputs[0] is not None and node.inputs[0].dtype in EXACT
    return any(
        value is not None and value.dtype == ir.DataType.FLOAT and _formal_is_half(node, place)
        for place, value in enumerate(node.inputs)
    )


def _formal_is_half(node: ir.Node, place: int) -> bool:
    """Tell from an operator's schema whether an input may be float16; the scales of Resize, say, may not."""
    opset = node.graph.opset_imports[""] if node.graph is not None else 1
    schema = onnx.defs.get_schema(node.op_type, max_inclusive_version=opset)
    formal = schema.inputs[min(place, len(schema.inputs) - 1)]
    return "tensor(float16)" in formal.types and "tensor(float)" in formal.types


def _narrow_constant(graph: ir.Graph, value: ir.Value, narrow: list[Place], used: set[str | None]) -> None:
    """Store a constant as float16 where it is read as such, and where it is large enough to be worth a Cast."""
    array = np.asarray(value.const_value.numpy() if value.const_value is not None else [])
    wide = [(use.node, use.idx) for use in value.uses() if (use.node, use.idx) not in set(narrow)]
    worth_a_cast = array.size >= WORTH_A_CAST and holds(array) and not value.is_graph_output()
    if not narrow and not worth_a_cast:
        return
    name = str(value.name)
    if wide and not worth_a_cast:
        name += ":float16"
    else:
        graph.initializers.pop(name)
    half = ir.Value(
        name=name,
        const_value=ir.tensor(array.astype(np.float16), name=name),
        type=ir.TensorType(ir.DataType.FLOAT16),
        shape=value.shape,
    )
    graph.register_initializer(half)
    _replace(narrow, half)
    if wide and worth_a_cast:
        _replace(wide, _cast(graph, half, ir.DataType.FLOAT, used))


def _widen(graph: ir.Graph, value: ir.Value, narrow: set[Place], used: set[str | None]) -> None:
    """Give those who want float32 of a float16 value, and the outputs of the graph, a Cast."""
    wide = [(use.node, use.idx) for use in value.uses() if (use.node, use.idx) not in narrow]
    if not wide and not value.is_graph_output():
        return
    outputs = [place for place, output in enumerate(graph.outputs) if output is value]
    name = value.name
    cast = _cast(graph, value, ir.DataType.FLOAT, used)
    _replace(wide, cast)
    for place in outputs:
        graph.outputs[place] = cast
        producer = value.producer()
        value.name = f"{producer.name if producer is not None else 'input'}:float16"
        cast.name = name


def _cast(graph: ir.Graph, value: ir.Value, to: ir.DataType, used: set[str | None]) -> ir.Value:
    producer = value.producer()
    layer = layer_of_named((producer or value).name or "") or "input"
    number = 1
    while (name := f"{layer}/Cast" if number == 1 else f"{layer}/Cast_{number}") in used:
        number += 1
    used.add(name)
    cast = ir.node("Cast", [value], {"to": int(to)}, name=name)
    cast.outputs[0].name = f"{name}:0"
    cast.outputs[0].type, cast.outputs[0].shape = ir.TensorType(to), value.shape
    if producer is None:
        graph.insert_before(graph[0], cast)
    else:
        graph.insert_after(producer, cast)
    return cast.outputs[0]


def _replace(places: list[Place], value: ir.Value) -> None:
    for node, place in places:
        node.replace_input_with(place, value)


def _to_proto(model: ir.Model) -> onnx.ModelProto:
    for node in model.graph:  # Inferred shapes name dynamic axes by a counter.
        for value in node.outputs:
            if not value.is_graph_output():
                value.shape = value.type = None
    return ir.to_proto(model)
