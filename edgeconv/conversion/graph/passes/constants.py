"""What is computed from constants alone, computed now; and one constant in place of equal ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from edgeconv.conversion.graph.editing import add_constant, constant, opset, sizes

_SMALL = 64
"""Elements that a constant may have which is larger than what it is computed from: a mask of ones, not a batch."""

_BEGINNING = 256
"""Elements that tell most constants apart, so that no weights need be hashed."""

_NOT_HERE = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}


def fold_constants(model: ir.Model) -> int:
    """Compute the nodes whose inputs are all constants, unless that makes the file larger; return how many went."""
    folded = 0
    for node in list(model.graph):
        arrays = [constant(value) for value in node.inputs if value is not None]
        found = [array for array in arrays if array is not None]
        result = node.outputs[0]
        shape = sizes(result) or (None,)
        known = [size for size in shape if isinstance(size, int)]
        if not found or len(found) != len(arrays) or len(node.outputs) != 1 or result.is_graph_output():
            continue
        if node.domain != "" or node.op_type in _NOT_HERE or len(known) != len(shape) or _has_graphs(node):
            continue
        if math.prod(known) > max(_SMALL, sum(array.size for array in found)) or result.dtype is None:
            continue
        names = [value.name or "" for value in node.inputs if value is not None]
        evaluator = ReferenceEvaluator(ir.to_proto(node), opsets={"": opset(model)})
        feeds: dict[str, Any] = dict(zip(names, found, strict=True))
        (computed,) = cast(list[Any], evaluator.run(None, feeds))
        array = np.asarray(computed)
        ir.convenience.replace_all_uses_with(
            result, add_constant(model, array.astype(result.dtype.numpy(), copy=False))
        )
        model.graph.remove(node, safe=True)
        folded += 1
    return folded


def share_equal_constants(model: ir.Model) -> int:
    """Keep the first of constants that have one type, one shape and the same bytes; return how many went."""
    return sum(share_equal_constants_of(graph) for graph in model.graphs())


def share_equal_constants_of(graph: ir.Graph, shared: Callable[[ir.Value], bool] = lambda _: True) -> int:
    """Do so in one graph, with those of its constants that may be shared."""
    gone = 0
    kept: dict[tuple[ir.DataType, tuple[int, ...], bytes], list[tuple[ir.Value, NDArray[Any]]]] = {}
    for value in tuple(graph.initializers.values()):
        array = constant(value)
        if array is None or value.const_value is None or value.is_graph_output() or not shared(value):
            continue
        key = (value.const_value.dtype, array.shape, array.ravel()[:_BEGINNING].tobytes())
        alike = kept.setdefault(key, [])
        equal = next((other for other, held in alike if held.tobytes() == array.tobytes()), None)
        if equal is None:
            alike.append((value, array))
        else:
            ir.convenience.replace_all_uses_with(value, equal)
            del graph.initializers[value.name or ""]
            gone += 1
    return gone


def _has_graphs(node: ir.Node) -> bool:
    return any(item.type in (ir.AttributeType.GRAPH, ir.AttributeType.GRAPHS) for item in node.attributes.values())
