"""Join the preparation of pictures to a model: one file from raw pixels of any size to its answers."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass
from onnx_ir.tape import Tape

from edgeconv.conversion.embedding.digits import center_digit
from edgeconv.conversion.embedding.pooling import pool_blocks_as_bytes
from edgeconv.conversion.embedding.preprocess import resized
from edgeconv.conversion.embedding.recording import Recorder
from edgeconv.conversion.embedding.tensors import FLOAT, UINT8, Tensor, where
from edgeconv.conversion.graph.passes.constants import share_equal_constants_of
from edgeconv.preparation import Preparation
from edgeconv.runtime.embedded import INPUT, PREPARED, embedded_name


def embed(model: onnx.ModelProto, preparation: Preparation, *, pending: str | None = None) -> onnx.ModelProto:
    """Put the preparation of pictures in front of a model, as standard ONNX operators.

    Args:
        model: one input, uint8, (batch, height, width, channels); any outputs. It is left as it is.
        preparation: what the model requires of a picture.
        pending: what is still to be done to the first output: "softmax", "sigmoid" or nothing.

    Returns:
        A model of the same opset and IR version, without metadata, equal for equal arguments. Input: `picture`, uint8,
        (height, width, channels), 0-255; 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels. Outputs: those of the model,
        of a batch of 1, by their names as `embedded_name` has them, floats all 0 where kind "digit" finds no ink;
        behind them `prepared`, uint8, (1, height, width, channels), what the model was given.

    Example:
        >>> whole = embed(onnx.load("model.onnx"), Preparation("digit", 28, 28, 1), pending="softmax")  # doctest: +SKIP
        >>> [value.name for value in whole.graph.output]  # doctest: +SKIP
        ['probabilities', 'prepared']
    """
    inner = ir.from_proto(model)
    recorder = Recorder()
    source = ir.Value(name=INPUT, type=ir.TensorType(UINT8), shape=ir.Shape(["height", "width", "channels"]))
    prepared, found = _prepare(Tensor(source, UINT8, recorder), preparation)
    answers = [(value, str(value.name), value.dtype or FLOAT, _of_one(value)) for value in inner.graph.outputs]
    inner_nodes, inner_constants = _take_out(inner.graph, prepared.value)
    before, recorder.tape = recorder.tape.nodes, Tape()
    outputs = []
    with recorder.section("answer"):
        for place, (value, name, dtype, shape) in enumerate(answers):
            value.name = f"answer_{place}" if place else "answer"
            answer = Tensor(value, dtype, recorder)
            is_pending = place == 0 and pending is not None
            if is_pending:
                answer = answer.apply("Softmax", axis=-1) if pending == "softmax" else answer.apply("Sigmoid")
            if found is not None and dtype == FLOAT:
                answer = where(found, answer, 0.0)
            elif not is_pending:
                answer = answer.apply("Identity")
            outputs.append(_leave(answer, embedded_name(name), shape))
    graph = ir.Graph(
        [source],
        [*outputs, _leave(prepared, PREPARED, [1, preparation.height, preparation.width, preparation.channels])],
        nodes=[*before, *inner_nodes, *recorder.tape.nodes],
        initializers=[*recorder.constants, *inner_constants],
        opset_imports=dict(inner.opset_imports),
        name=inner.graph.name,
    )
    whole = ir.Model(graph, ir_version=inner.ir_version, producer_name="edgeconv")
    RemoveUnusedNodesPass()(whole)
    return ir.to_proto(whole)


def _of_one(output: ir.Value) -> list[int | str | None]:
    """Return the shape that an output has for a batch of one."""
    sizes = [size if isinstance(size, int) else size.value for size in output.shape or ()]
    return [1, *sizes[1:]]


def _prepare(picture: Tensor, preparation: Preparation) -> tuple[Tensor, Tensor | None]:
    """Write the preparation down; return a batch of one, and whether ink was found where that counts."""
    height, width, channels = preparation.height, preparation.width, preparation.channels
    if preparation.kind == "digit":
        return center_digit(picture, height, width, preparation.box)
    return resized(picture, preparation).reshape(1, height, width, channels), None


def _take_out(graph: ir.Graph, image: ir.Value) -> tuple[list[ir.Node], list[ir.Value]]:
    """Let a model read `image` instead of its input, and take its nodes and constants out of their graph."""
    ir.convenience.replace_all_uses_with(graph.inputs[0], image)
    pool_blocks_as_bytes(graph)
    share_equal_constants_of(graph, _is_shared)
    nodes, constants = list(graph), list(graph.initializers.values())
    graph.outputs.clear()
    graph.remove(nodes)
    graph.initializers.clear()
    for value in (*constants, *(output for node in nodes for output in node.outputs)):
        value.name = embedded_name(value.name or "")
    return nodes, constants


def _is_shared(constant: ir.Value) -> bool:
    """Whether equal ones become one constant: else ONNX Runtime does it, and looks through the whole graph once more.

    Bytes are left: where the weights of int8 are recoded, ONNX Runtime 1.32 fails on a zero point that layers share.
    """
    tensor = constant.const_value
    return tensor is not None and tensor.size == 1 and tensor.dtype not in {ir.DataType.INT8, ir.DataType.UINT8}


def _leave(tensor: Tensor, name: str, shape: Sequence[int | str | None]) -> ir.Value:
    """Name a value that leaves the graph."""
    tensor.value.name, tensor.value.type, tensor.value.shape = name, ir.TensorType(tensor.dtype), ir.Shape(shape)
    return tensor.value
