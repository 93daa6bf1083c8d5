"""TensorFlow's operations that resize by `area` and `bicubic`, exactly, where height and width are known.

They stand in the graphs of SavedModels; the layers of Keras resize by `resizing`, which says why by matrices, and until
when.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.tracing.patches.handler import Handlers, add, constant, replace


def handlers() -> Handlers:
    """Return the handlers by the type of the operation."""
    return {"ResizeArea": (_by_matrices, []), "ResizeBicubic": (_by_matrices, [])}


def _by_matrices(graph: Any, node: Any, _name: str, _args: Any) -> None:
    _, height, width, channels = graph.get_shape(node.input[0])
    if not node.inputs[1].is_const() or min(height, width, channels) <= 0:
        raise ValueError("of sizes that are known when it runs alone")
    new_height, new_width = node.inputs[1].get_tensor_value()
    rows = constant(graph, node, _matrix(node, height, new_height))
    columns = constant(graph, node, _matrix(node, width, new_width))
    image = add(graph, node, "Cast", [node.input[0]], to=onnx.TensorProto.FLOAT)
    flat = constant(graph, node, np.array([0, height, width * channels], np.int64))
    image = add(graph, node, "MatMul", [rows, add(graph, node, "Reshape", [image, flat])])
    whole = constant(graph, node, np.array([0, new_height, width, channels], np.int64))
    replace(graph, node, "MatMul", [columns, add(graph, node, "Reshape", [image, whole])])


def _matrix(node: Any, old: int, new: int) -> NDArray[np.float32]:
    """Return what TensorFlow itself makes of the columns of an identity matrix, (new, old)."""
    import tensorflow as tf

    names = [name for name in ("align_corners", "half_pixel_centers") if name in node.attr]
    flags = {name: bool(node.get_attr_int(name)) for name in names}
    identity = np.eye(old, dtype=np.float32)[:, :, None, None]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        made = session.run(getattr(tf.raw_ops, node.type)(images=identity, size=[new, 1], **flags))
    return np.ascontiguousarray(made[:, :, 0, 0].T)
