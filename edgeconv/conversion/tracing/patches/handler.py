"""What the handlers of TensorFlow operations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Handlers = dict[str, tuple[Callable[..., Any], list[str]]]
"""tf2onnx's `custom_op_handlers`: operation -> (handler, [ONNX operator that the node becomes, or nothing])."""


def replace(graph: Any, node: Any, op_type: str, inputs: list[str], **attributes: Any) -> None:
    """Put an ONNX operator in a node's place, with its name, outputs, shapes and types."""
    shapes, dtypes = node.output_shapes, node.output_dtypes
    outputs = list(node.output)
    graph.remove_node(node.name)
    made = graph.make_node(
        op_type, inputs, name=node.name, outputs=outputs, shapes=shapes, dtypes=dtypes, attr=attributes
    )
    made.skip_conversion = True


def add(graph: Any, node: Any, op_type: str, inputs: list[str], **attributes: Any) -> str:
    """Add an ONNX operator of one output before a node, named after it; return the output."""
    from tf2onnx.utils import make_name

    made = graph.make_node(op_type, inputs, name=make_name(f"{node.name}/{op_type}"), attr=attributes)
    made.skip_conversion = True
    return str(made.output[0])


def constant(graph: Any, node: Any, value: NDArray[Any]) -> str:
    """Add a constant named after a node; return its output."""
    from tf2onnx.utils import make_name

    return str(graph.make_const(make_name(f"{node.name}/constant"), value).output[0])


def numpy_dtype(graph: Any, tensor: str) -> np.dtype[Any]:
    """Return the numpy type of a tensor of the graph."""
    from tf2onnx.utils import map_onnx_to_numpy_type

    dtype: np.dtype[Any] = np.dtype(map_onnx_to_numpy_type(graph.get_dtype(tensor)))
    return dtype
