"""Join the preparation of pictures to a model: one file from raw pixels of any size to probabilities."""

from __future__ import annotations

import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass
from onnx_ir.tape import Tape

from edgeconv.conversion.embedding.digits import center_digit
from edgeconv.conversion.embedding.preprocess import resized
from edgeconv.conversion.embedding.recording import Recorder
from edgeconv.conversion.embedding.tensors import FLOAT, UINT8, Tensor, where
from edgeconv.preparation import Preparation
from edgeconv.runtime.embedded import INPUT, OUTPUTS

_OUTPUT, _PREPARED = OUTPUTS


def embed(model: onnx.ModelProto, preparation: Preparation, *, kind: str) -> onnx.ModelProto:
    """Put the preparation of pictures in front of a model, as standard ONNX operators.

    Args:
        model: input `image`, uint8, (batch, height, width, channels); one output, float32, (batch, classes). It is
            left as it is.
        preparation: what the model requires of a picture.
        kind: "probabilities", or "logits", which become probabilities.

    Returns:
        A model of the same opset and IR version, without metadata, equal for equal arguments. Input: `picture`, uint8,
        (height, width, channels), 0-255; 1 (grey), 3 (RGB) or 4 (RGB and alpha) channels. Outputs: `probabilities`,
        float32, (1, classes), 0-1, all 0 where kind "digit" finds no ink; `prepared`, uint8, (1, height, width,
        channels), what the model was given.

    Example:
        >>> whole = embed(onnx.load("model.onnx"), Preparation("digit", 28, 28, 1), kind="logits")  # doctest: +SKIP
        >>> [value.name for value in whole.graph.output]  # doctest: +SKIP
        ['probabilities', 'prepared']
    """
    inner = ir.from_proto(model)
    recorder = Recorder()
    source = ir.Value(name=INPUT, type=ir.TensorType(UINT8), shape=ir.Shape(["height", "width", "channels"]))
    prepared, found = _prepare(Tensor(source, UINT8, recorder), preparation)
    answer = inner.graph.outputs[0]
    classes = int(model.graph.output[0].type.tensor_type.shape.dim[-1].dim_value)
    inner_nodes, inner_constants = _take_out(inner.graph, prepared.value)
    answer.name = "answer"
    before, recorder.tape = recorder.tape.nodes, Tape()
    with recorder.section("answer"):
        scores = Tensor(answer, FLOAT, recorder)
        if kind == "logits":
            scores = scores.apply("Softmax", axis=-1)
        if found is not None:
            scores = where(found, scores, 0.0)
        elif kind != "logits":
            scores = scores.apply("Identity")
    graph = ir.Graph(
        [source],
        [
            _leave(scores, _OUTPUT, [1, classes]),
            _leave(prepared, _PREPARED, [1, preparation.height, preparation.width, preparation.channels]),
        ],
        nodes=[*before, *inner_nodes, *recorder.tape.nodes],
        initializers=[*recorder.constants, *inner_constants],
        opset_imports=dict(inner.opset_imports),
        name=inner.graph.name,
    )
    whole = ir.Model(graph, ir_version=inner.ir_version, producer_name="edgeconv")
    RemoveUnusedNodesPass()(whole)
    return ir.to_proto(whole)


def _prepare(picture: Tensor, preparation: Preparation) -> tuple[Tensor, Tensor | None]:
    """Write the preparation down; return a batch of one, and whether ink was found where that counts."""
    height, width, channels = preparation.height, preparation.width, preparation.channels
    if preparation.kind == "digit":
        made, found = center_digit(picture, height, width, preparation.box)
        return made.reshape(1, height, width, channels), found
    return resized(picture, preparation).reshape(1, height, width, channels), None


def _take_out(graph: ir.Graph, image: ir.Value) -> tuple[list[ir.Node], list[ir.Value]]:
    """Let a model read `image` instead of its input, and take its nodes and constants out of their graph."""
    ir.convenience.replace_all_uses_with(graph.inputs[0], image)
    nodes, constants = list(graph), list(graph.initializers.values())
    graph.outputs.clear()
    graph.remove(nodes)
    graph.initializers.clear()
    return nodes, constants


def _leave(tensor: Tensor, name: str, shape: list[int]) -> ir.Value:
    """Name a value that leaves the graph."""
    tensor.value.name, tensor.value.type, tensor.value.shape = name, ir.TensorType(tensor.dtype), ir.Shape(shape)
    return tensor.value
