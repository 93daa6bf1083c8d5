"""What every pass needs of a graph: its constants read and added, its shapes inferred, its nodes replaced."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes.common import ShapeInferencePass

_COUNTED = re.compile(r"(unk__\d+)?")


def constant(value: ir.Value | None) -> NDArray[Any] | None:
    """Return the array of a constant that no caller can override, or None."""
    if value is None or not value.is_initializer() or value.is_graph_input() or value.const_value is None:
        return None
    return value.const_value.numpy()


def constant_floats(value: ir.Value | None) -> NDArray[np.float64] | None:
    """Return the array of a constant of floats in double precision, or None."""
    found = constant(value)
    return None if found is None or found.dtype not in (np.float16, np.float32, np.float64) else found.astype(float)


def scalar(value: ir.Value | None, rank: int | None) -> float | None:
    """Return a constant of one number that does not add axes to a value of the given rank, or None."""
    found = constant_floats(value)
    if found is None or found.size != 1 or found.ndim > (rank or 0):
        return None
    return float(found.item())


def add_constant(model: ir.Model, array: NDArray[Any]) -> ir.Value:
    """Add a constant to the graph under a free name, and return it."""
    number = len(model.graph.initializers)
    while f"constant{number}" in model.graph.initializers:
        number += 1
    name = f"constant{number}"
    value = ir.val(name, const_value=ir.tensor(array if array.flags.c_contiguous else array.copy(), name=name))
    model.graph.register_initializer(value)
    return value


def only_consumer(value: ir.Value) -> ir.Node | None:
    """Return the one node that reads a value, once, in the value's own graph, or None."""
    uses = value.uses()
    if len(uses) != 1 or value.is_graph_output():
        return None
    node = next(iter(uses)).node
    return node if node.graph is value.graph else None


def producer(value: ir.Value | None, operator: str | None = None) -> ir.Node | None:
    """Return the node that makes a value for one reader alone, if it is of the given operator, or None."""
    node = None if value is None or only_consumer(value) is None else value.producer()
    return node if node is not None and operator in (None, node.op_type) and node.domain == "" else None


def sizes(value: ir.Value | None) -> tuple[int | str | None, ...] | None:
    """Return the sizes of a value's axes, a name or None for each dynamic one, or None if not even their number is."""
    if value is None or value.shape is None:
        return None
    return tuple(size if isinstance(size, int) else size.value for size in value.shape)


def rank(value: ir.Value | None) -> int | None:
    """Return the number of a value's axes, or None."""
    return None if value is None or value.shape is None else len(value.shape)


def attribute(node: ir.Node, name: str, default: Any) -> Any:
    """Return the value of an attribute: a number, a string, or a tuple of numbers."""
    return node.attributes[name].value if name in node.attributes else default


def nodes_of(model: ir.Model, *operators: str) -> Iterator[ir.Node]:
    """Yield the nodes of the outer graph that are of the given operators of ONNX, also while nodes are removed."""
    for node in list(model.graph):
        if node.graph is not None and node.op_type in operators and node.domain == "":
            yield node


def replace(model: ir.Model, old: Sequence[ir.Node], new: ir.Node) -> None:
    """Put one node in the place of a chain of nodes, whose last one's first output it makes.

    Args:
        model: changed in place.
        old: in the order of the graph; nobody outside reads what they make, except the first output of the last.
        new: takes the name of the first node.
    """
    new.name = new.name or old[0].name
    result = old[-1].outputs[0]
    new.outputs[0].shape, new.outputs[0].type = result.shape, result.type
    ir.convenience.replace_nodes_and_values(model.graph, old[-1], list(reversed(old)), [new], [result], new.outputs)


def drop(model: ir.Model, node: ir.Node, source: ir.Value) -> bool:
    """Take a node out whose first output is one of its inputs; return whether that could be done.

    An input of the graph cannot be its output as well, and keeps the node between them.
    """
    result = node.outputs[0]
    if result.is_graph_output() and (source.is_graph_input() or source.is_initializer() or source.is_graph_output()):
        return False
    if result.is_graph_output():
        source.name, source.shape, source.type = result.name, result.shape, result.type
    ir.convenience.replace_all_uses_with(result, source, replace_graph_outputs=True)
    model.graph.remove(node, safe=True)
    return True


def opset(model: ir.Model) -> int:
    """Return the version of the ONNX operators."""
    return model.opset_imports.get("", 1)


def infer_shapes(model: ir.Model) -> None:
    """Infer the shapes of all values, through the arithmetic on shapes as well; weights are not copied for it.

    Names that were counted before are forgotten: tf2onnx gives one axis another at each node, and inference keeps them.
    """
    for node in model.graph:
        for value in node.outputs:
            if value.shape is not None and not value.is_graph_output():
                value.shape = ir.Shape([None if is_counted(size) else size for size in value.shape])
    declared = [(value, value.shape, value.type) for value in (*model.graph.inputs, *model.graph.outputs)]
    with quiet_inference():
        ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)
    for value, shape, kind in declared:
        value.shape, value.type = shape, kind


def is_counted(size: int | ir.SymbolicDim) -> bool:
    """Whether a dynamic axis has no name, or one that tf2onnx or the inference of shapes counted."""
    return not isinstance(size, int) and _COUNTED.fullmatch(size.value or "") is not None


@contextmanager
def quiet_inference() -> Iterator[None]:
    """Hold back what onnx-ir logs, with a traceback, where shapes cannot be inferred: passes live without them."""
    log = logging.getLogger("onnx_ir.passes.common.shape_inference")
    disabled, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = disabled
