"""What every pass needs of a graph: its constants read and added, its shapes inferred."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray


def constant(value: ir.Value | None) -> NDArray[Any] | None:
    """Return the array of a constant that no caller can override, or None."""
    if value is None or not value.is_initializer() or value.is_graph_input() or value.const_value is None:
        return None
    return value.const_value.numpy()


def add_constant(model: ir.Model, array: NDArray[Any]) -> ir.Value:
    """Add a constant to the graph under a free name, and return it."""
    number = len(model.graph.initializers)
    while f"constant{number}" in model.graph.initializers:
        number += 1
    name = f"constant{number}"
    value = ir.Value(
        name=name,
        const_value=ir.tensor(np.ascontiguousarray(array), name=name),
        type=ir.TensorType(ir.DataType.from_numpy(array.dtype)),
        shape=ir.Shape(array.shape),
    )
    model.graph.register_initializer(value)
    return value


def only_consumer(value: ir.Value) -> ir.Node | None:
    """Return the one node that reads a value, or None where there are several, or the value is an output."""
    uses = value.uses()
    if len(uses) != 1 or value.is_graph_output():
        return None
    return next(iter(uses)).node


def infer_shapes(model: ir.Model) -> None:
    """Infer the shapes of all values, through the arithmetic on shapes as well."""
    proto = onnx.shape_inference.infer_shapes(ir.to_proto(model), data_prop=True)
    shapes = {info.name: info.type for info in (*proto.graph.value_info, *proto.graph.output)}
    for node in model.graph:
        for value in node.outputs:
            found = shapes.get(value.name or "")
            if found is not None and found.tensor_type.HasField("shape"):
                value.shape = ir.Shape(
                    [
                        axis.dim_value if axis.HasField("dim_value") else axis.dim_param or None
                        for axis in found.tensor_type.shape.dim
                    ]
                )
                value.type = ir.TensorType(ir.DataType(found.tensor_type.elem_type))
