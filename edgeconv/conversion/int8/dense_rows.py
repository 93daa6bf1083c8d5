"""Dense layers on sequences as one Gemm of rows: its bias is added to the sums in int32, before they are rounded.

A MatMul and an Add would be rounded to 256 steps each, with a pair of QuantizeLinear and DequantizeLinear between them.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, constant, nodes_of, only_consumer, sizes
from edgeconv.conversion.graph.layer_names import beside
from edgeconv.conversion.int8.batch_shapes import reshape_target


def multiply_rows(model: ir.Model) -> int:
    """Make a Gemm of ``MatMul -> Add``, also where a Reshape between them splits the last axis; return how many.

    Args:
        model: changed in place; shapes are stated.
    """
    made, rows = 0, dict[ir.Value, ir.Value]()
    for node in nodes_of(model, "MatMul"):
        source, kernel, add = node.inputs[0], constant(node.inputs[1]), only_consumer(node.outputs[0])
        if add is not None and add.op_type == "Reshape":
            add = only_consumer(add.outputs[0])
        shape = sizes(source)
        if source is None or kernel is None or kernel.ndim != 2 or shape is None or len(shape) < 3 or add is None:
            continue
        bias, target = _bias_of(add, kernel.shape[1]), reshape_target(add.outputs[0])
        if bias is None or target is None:
            continue
        if source not in rows:
            rows[source] = _reshaped(model, source, np.array([-1, len(kernel)]), node)
        product = ir.node("Gemm", [rows[source], node.inputs[1], add_constant(model, bias)], name=node.name)
        product.outputs[0].name, product.outputs[0].type = add.outputs[0].name, source.type
        product.outputs[0].shape = ir.Shape([None, kernel.shape[1]])
        model.graph.insert_before(add, product)
        result = _reshaped(model, product.outputs[0], target, add)
        result.shape = add.outputs[0].shape
        ir.convenience.replace_all_uses_with(add.outputs[0], result, replace_graph_outputs=True)
        made += 1
    return made


def _bias_of(add: ir.Node, outputs: int) -> np.ndarray | None:
    """Return what an Add adds to each row, (outputs,), or None."""
    found = [array for value in add.inputs if (array := constant(value)) is not None]
    shape = sizes(add.outputs[0])
    if add.op_type != "Add" or len(found) != 1 or shape is None or add.outputs[0].is_graph_output():
        return None
    last = [size for size in found[0].shape if size != 1]
    whole = found[0].size == outputs and list(shape[len(shape) - len(last) :]) == last
    return found[0].reshape(-1) if whole else None


def _reshaped(model: ir.Model, value: ir.Value, target: np.ndarray, before: ir.Node) -> ir.Value:
    node = ir.node("Reshape", [value, add_constant(model, target)], name=beside(before, "Reshape"))
    node.outputs[0].type = value.type
    node.outputs[0].shape = ir.Shape([int(size) if size >= 0 else None for size in target])
    model.graph.insert_before(before, node)
    return node.outputs[0]
