"""Models whose answers change from call to call, because a layer changes what it answers by."""

from __future__ import annotations

from typing import Any

from edgeconv.conversion.tracing.layer_calls import describe_origin
from edgeconv.conversion.tracing.refusals import ADVICE
from edgeconv.errors import UnsupportedModelError

SIDE_EFFECTS = ("Assign", "ResourceScatter", "ResourceApply")
"""How the names of TensorFlow's operations that change a variable begin."""

RANDOM = ("Rng",)
"""And of those that draw from a generator, whose state they change."""


def refuse_side_effects(function: Any, model: Any, source: str) -> None:
    """Raise if a traced function changes variables that its answers depend on: the next answers would be others.

    Augmentation layers that draw numbers at inference and use none of them change a seed only, and are let be.

    Raises:
        UnsupportedModelError: names the layer.
    """
    read = _read_by_answers(function)
    for kinds, does in ((SIDE_EFFECTS, "changes its variables"), (RANDOM, "draws random numbers")):
        changing = _changing_functions(function.graph, kinds)
        for operation in function.graph.get_operations():
            if not operation.type.startswith(kinds) and not _called_by(operation.node_def) & changing:
                continue
            if any(tensor.dtype == "resource" and tensor.name in read for tensor in operation.inputs):
                description, layer = describe_origin(model, operation.name)
                raise UnsupportedModelError(
                    f"`{source}` must keep its state when it is called. Received: {description}, which {does}. "
                    f"{_advice(layer)}"
                )


def _advice(layer: Any) -> str:
    what = (
        "Build it with `stateful=False`" if getattr(layer, "stateful", False) else "Keep what it changes out of `call`"
    )
    return ADVICE.get(type(layer).__name__, f"{what}, and hand the state in as an input.")


def _read_by_answers(function: Any) -> set[str]:
    """Return the names of all tensors of a traced function that its answers are computed from."""
    read: set[str] = set()
    queue = list(function.graph.outputs)
    while queue:
        tensor = queue.pop()
        if tensor.name not in read:
            read.add(tensor.name)
            queue += tensor.op.inputs
    return read


def _changing_functions(graph: Any, kinds: tuple[str, ...]) -> set[str]:
    """Return the names of the functions in a graph, such as the bodies of loops, that have such operations."""
    changing: set[str] = set()
    if not any(_called_by(operation.node_def) for operation in graph.get_operations()):
        return changing
    bodies = {function.signature.name: function.node_def for function in graph.as_graph_def().library.function}
    found = {name for name, body in bodies.items() if any(node.op.startswith(kinds) for node in body)}
    while found - changing:
        changing |= found
        found = {name for name, body in bodies.items() if any(_called_by(node) & changing for node in body)}
    return changing


def _called_by(node: Any) -> set[str]:
    """Return the names of the functions that a node of TensorFlow calls."""
    called = {attribute.func.name for attribute in node.attr.values() if attribute.HasField("func")}
    return called.union(*({function.name for function in attribute.list.func} for attribute in node.attr.values()))
