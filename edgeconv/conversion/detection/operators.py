"""`decoding`, and the suppression of `edgeconv.runtime.suppression`, as ONNX operators behind a detector."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.embedding.recording import Recorder
from edgeconv.conversion.embedding.tensors import FLOAT, INT64, Tensor, where
from edgeconv.conversion.keras.boxes.layout import BOXES, CLASSES, SCORES, BoxLayout, Columns

ROOT = "detections"

NOBODY = -1
"""The class of rows that only fill an output up."""


def with_detections(
    model: onnx.ModelProto, layout: BoxLayout, size: tuple[int, int] | None, *, suppressed: bool
) -> onnx.ModelProto:
    """Put operators behind a detector that make boxes and scores of one form of what it gives.

    Args:
        model: input `image`, (batch, height, width, channels); the outputs that the layout names. It is left as it is.
        layout: where the outputs hold what.
        size: (height, width) of pictures; None asks them for it when the file runs.
        suppressed: whether overlapping boxes of a class are suppressed too.

    Returns:
        A model of the same opset and IR version, equal for equal arguments, with the outputs of `BoxLayout.ports`.
        Suppressed ones come best first, and as many of each picture: runtimes on phones and accelerators plan their
        memory for arrays of one size. What is not found is a box of zeros, the score 0 and the class -1. Outputs that
        the layout does not read stay, behind these.
    """
    inner = ir.from_proto(model)
    graph = inner.graph
    recorder = Recorder(ROOT)
    own = {value.name: Tensor(value, FLOAT, recorder) for value in graph.outputs}
    others = [value for value in graph.outputs if value.name not in layout.own_outputs]
    _free_names(graph)
    boxes, scores = _decoded(layout, own, Tensor(graph.inputs[0], FLOAT, recorder), size)
    made = {BOXES: boxes, SCORES: scores}
    if suppressed:
        made = _suppressed(boxes, scores, layout)
    graph.extend(recorder.tape.nodes)
    for constant in recorder.constants:
        graph.register_initializer(constant)
    batch = graph.inputs[0].shape[0] if graph.inputs[0].shape is not None else None
    sides = {BOXES: (4,), SCORES: () if suppressed else (layout.count,), CLASSES: ()}
    rows = layout.statement.max if suppressed else layout.rows or BOXES
    graph.outputs.clear()
    for name, tensor in made.items():
        value = tensor.value
        value.name, value.type = name, ir.TensorType(tensor.dtype)
        value.shape = ir.Shape([batch, rows, *sides[name]])
        graph.outputs.append(value)
    graph.outputs.extend(others)
    RemoveUnusedNodesPass()(inner)
    return ir.to_proto(inner)


def _free_names(graph: ir.Graph) -> None:
    """Let no value inside the model have the name of an output of the file."""
    for node in graph:
        for value in node.outputs:
            if value.name in {BOXES, SCORES, CLASSES} and not value.is_graph_output():
                value.name = f"{value.name}/inside"


def _decoded(
    layout: BoxLayout, own: dict[str | None, Tensor], image: Tensor, size: tuple[int, int] | None
) -> tuple[Tensor, Tensor]:
    def take(columns: Columns) -> Tensor:
        tensor = own[columns.output]
        rows = len(tensor.value.shape or ())
        if rows == 2:
            return tensor.reshape(0, 0, 1)
        straight = tensor if layout.axis == 2 else tensor.transpose(0, 2, 1)
        whole = columns.begin == 0 and columns.end is None
        return straight if whole else straight.slice(2, columns.begin, columns.end)

    boxes = take(layout.boxes)
    matrix = layout.matrix
    if layout.is_relative and size is not None:
        matrix = matrix * np.array([size[1], size[0], size[1], size[0]], np.float32)
    if not np.array_equal(matrix, np.eye(4)):
        boxes = boxes @ boxes.array(matrix)
    if layout.is_relative and size is None:
        boxes = boxes * _shape(image).gather(image.integers([2, 1, 2, 1])).as_type(FLOAT)
    scores = _activated(take(layout.scores), layout.pending)
    if layout.background is not None:
        scores = scores.slice(2, 1, None) if layout.background == "first" else scores.slice(2, 0, -1)
    if layout.objectness is not None:
        scores = scores * _activated(take(layout.objectness), layout.pending and "sigmoid")
    if layout.classes is not None:
        numbers = take(layout.classes).apply("Cast", dtype=INT64, to=INT64.value)
        is_class = numbers.equals(numbers.array(np.arange(layout.count), INT64))
        scores = where(is_class, scores.maximum(0.0), 0.0)
    return boxes, scores


def _shape(tensor: Tensor) -> Tensor:
    """Return all sizes of a tensor; only from opset 15 on can some be asked for."""
    return tensor.apply("Shape", dtype=INT64)


def _activated(scores: Tensor, pending: str | None) -> Tensor:
    if pending is None:
        return scores
    return scores.apply("Sigmoid") if pending == "sigmoid" else scores.apply("Softmax", axis=-1)


def _suppressed(boxes: Tensor, scores: Tensor, layout: BoxLayout) -> dict[str, Tensor]:
    said, most = layout.statement, layout.statement.max
    by_class = scores.transpose(0, 2, 1)
    count = layout.rows or _shape(boxes).gather(boxes.integers([1]))
    chosen = boxes.apply(
        "NonMaxSuppression",
        by_class,
        boxes.integers([most]),
        boxes.array(np.array([said.iou])),
        boxes.array(np.array([said.confidence])),
        dtype=INT64,
    )
    # The operator lists what it keeps of all pictures and classes: back in its place, the rest at 0, it can be sorted.
    empty = _shape(by_class).apply("ConstantOfShape", dtype=FLOAT)
    kept = empty.apply("ScatterND", chosen, by_class.apply("GatherND", chosen))
    flat = kept.reshape(0, -1).apply("Pad", kept.integers([0, 0, 0, most]))
    best, places = flat.recorder.node_of_many("TopK", [flat.value, flat.integers([most]).value], {"axis": 1}, 2)
    values, place = Tensor(best, FLOAT, flat.recorder), Tensor(places, INT64, flat.recorder)
    found = values > 0.0
    corners = boxes.apply("GatherND", place.apply("Mod", count).reshape(0, 0, 1), batch_dims=1)
    numbers = where(found, place // count, NOBODY)
    return {
        BOXES: where(found.apply("Unsqueeze", found.integers([2])), corners, 0.0),
        SCORES: values,
        CLASSES: numbers.apply("Cast", dtype=ir.DataType.INT32, to=ir.DataType.INT32.value),
    }
