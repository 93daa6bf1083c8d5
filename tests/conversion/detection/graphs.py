"""Graphs whose outputs are the columns of their input: what a detector gives can be written down in a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from edgeconv.boxes import BoxStatement
from edgeconv.conversion.keras.boxes.layout import BoxLayout, Columns

FLOAT = onnx.TensorProto.FLOAT


def columns_model(outputs: Mapping[str, int], boxes: int | str = "boxes") -> onnx.ModelProto:
    """Return a model of `image`, (batch, boxes, columns, 1), that gives so many columns in each output, in order.

    An output of no columns is one column without its axis.
    """
    nodes, constants, begin = [], {"axis": np.array([2]), "last": np.array([3])}, 0
    nodes.append(onnx.helper.make_node("Squeeze", ["image", "last"], ["columns"]))
    values = []
    for name, count in outputs.items():
        width = max(1, count)
        constants |= {f"{name}_from": np.array([begin]), f"{name}_to": np.array([begin + width])}
        whole = f"{name}_columns" if count == 0 else name
        nodes.append(onnx.helper.make_node("Slice", ["columns", f"{name}_from", f"{name}_to", "axis"], [whole]))
        if count == 0:
            nodes.append(onnx.helper.make_node("Squeeze", [whole, "axis"], [name]))
        shape = ["batch", boxes, count] if count else ["batch", boxes]
        values.append(onnx.helper.make_tensor_value_info(name, FLOAT, shape))
        begin += width
    image = onnx.helper.make_tensor_value_info("image", FLOAT, ["batch", boxes, begin, 1])
    tensors = [onnx.numpy_helper.from_array(array.astype(np.int64), name) for name, array in constants.items()]
    graph = onnx.helper.make_graph(nodes, "columns", [image], values, tensors)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)


def layout(statement: BoxStatement, count: int, **parts: Any) -> BoxLayout:
    """Return a layout of outputs `own_boxes` and `own_scores`, or of what is given."""
    given: dict[str, Any] = {
        "boxes": Columns("own_boxes"),
        "scores": Columns("own_scores"),
        "classes": None,
        "objectness": None,
        "axis": 2,
        "pending": None,
        "background": None,
        "rows": None,
        "found": "",
        **parts,
    }
    return BoxLayout(statement=statement, count=count, **given)


def run(model: onnx.ModelProto, image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Check a model, run it on (batch, boxes, columns), and return its outputs by name."""
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image.astype(np.float32)[..., None]}), strict=True))
