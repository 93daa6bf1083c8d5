"""Shapes and dtypes of the values of an ONNX graph, as far as ONNX can tell them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import onnx

Shape = tuple[int | str, ...]
"""Sizes, with names for the dynamic axes; ``"?"`` for one that has none."""


def infer_values(model: onnx.ModelProto, *, batch: int) -> Mapping[str, tuple[str, Shape | None]]:
    """Return dtype and shape of every value, for a batch of this size.

    Args:
        model: left as it is. A first axis of an input that has no fixed size is its batch.
        batch: images.
    """
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for value in sized.graph.input:
        axes = value.type.tensor_type.shape.dim
        if len(axes) and not axes[0].HasField("dim_value"):
            axes[0].dim_value = batch
    # A graph that ONNX cannot follow keeps the shapes that it states itself.
    with suppress(onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        sized = onnx.shape_inference.infer_shapes(sized, data_prop=True)
    values = (*sized.graph.input, *sized.graph.output, *sized.graph.value_info)
    return {value.name: (dtype_name(value.type.tensor_type.elem_type), shape_of(value)) for value in values}


def shape_of(value: onnx.ValueInfoProto) -> Shape | None:
    """Return the shape that a value states, or None where it does not state the number of its axes."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(axis.dim_value if axis.HasField("dim_value") else axis.dim_param or "?" for axis in tensor.shape.dim)


def dtype_name(elem_type: int) -> str:
    """Return numpy's name of an ONNX element type.

    Example:
        >>> dtype_name(onnx.TensorProto.FLOAT)
        'float32'
    """
    if elem_type not in onnx.TensorProto.DataType.values():
        return "unknown"
    name = str(onnx.TensorProto.DataType.Name(elem_type)).lower()
    return {"float": "float32", "double": "float64", "undefined": "unknown"}.get(name, name)
