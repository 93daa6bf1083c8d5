"""What a model does that ONNX cannot express, said in one line that names the Keras layer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx

from edgeconv.conversion.tracing.layer_calls import describe_origin
from edgeconv.errors import UnsupportedModelError

ADVICE = {
    "StringLookup": "Look the strings up before the model, and make the model of the indices.",
    "IntegerLookup": "Look the integers up before the model, and make the model of the indices.",
    "TextVectorization": "Make tokens of the text before the model, and make the model of the tokens.",
    "Hashing": "Hash before the model, and make the model of the hashes.",
    "HashedCrossing": "Cross and hash before the model, and make the model of the hashes.",
    "StringDatetime": "Parse dates before the model.",
}
"""What to do about a layer class."""

STATEFUL = {"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional"}

SIDE_EFFECTS = ("Assign", "ResourceScatter", "ResourceApply")
"""How the names of TensorFlow's operations that change a variable begin."""

LOST = "Replace the layer by others that compute the same, or make a model of the layers before it."


class FailedNodes(logging.Handler):
    """Collects what tf2onnx logs instead of raising: the nodes whose handlers failed, and why.

    Attributes:
        reasons: node name -> the exception that its handler raised.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reasons: dict[str, BaseException] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the node and its exception."""
        if record.exc_info and record.exc_info[1] and isinstance(record.args, tuple) and record.args:
            self.reasons[str(record.args[0])] = record.exc_info[1]

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Take tf2onnx's log while the block runs, off the terminal."""
        logger = logging.getLogger("tf2onnx")
        level, propagates = logger.level, logger.propagate
        logger.addHandler(self)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(self)
            logger.setLevel(level)
            logger.propagate = propagates


def refused(source: str, error: BaseException, layer: str = "") -> UnsupportedModelError:
    """Return the error for a model whose tracing raised."""
    if isinstance(error, UnsupportedModelError):
        return error
    where = f" in {layer}" if layer else ""
    reason = " ".join(str(error).split())[:300]
    return UnsupportedModelError(
        f"`{source}` must consist of layers that can be traced. "
        f"Received{where}: {type(error).__name__}: {reason}. {LOST}"
    )


def refuse_side_effects(function: Any, model: Any, source: str) -> None:
    """Raise if a traced function changes variables that its answers depend on: the next answers would be others.

    Augmentation layers that draw numbers at inference and use none of them change a seed only, and are let be.

    Raises:
        UnsupportedModelError: names the layer.
    """
    read = _read_by_answers(function)
    for operation in function.graph.get_operations():
        if operation.type.startswith(SIDE_EFFECTS) and id(operation.inputs[0]) in read:
            layer, kind = describe_origin(model, operation.name)
            advice = "Build it with `stateful=False`" if kind in STATEFUL else "Keep what it changes out of `call`"
            raise UnsupportedModelError(
                f"`{source}` must keep its state when it is called. Received: {layer}, which changes its variables. "
                f"{advice}, and hand the state in as an input."
            )


def _read_by_answers(function: Any) -> set[int]:
    """Return the identities of all tensors of a traced function that its answers are computed from."""
    read: set[int] = set()
    queue = list(function.graph.outputs)
    while queue:
        tensor = queue.pop()
        if id(tensor) not in read:
            read.add(id(tensor))
            queue += tensor.op.inputs
    return read


def refuse_foreign_nodes(proto: onnx.ModelProto, model: Any, failed: FailedNodes, *, opset: int, source: str) -> None:
    """Raise if a node is no operator of ONNX: tf2onnx leaves what it cannot convert as it was.

    Raises:
        UnsupportedModelError: names the layer, its class and its foreign operations.
    """
    by_layer: dict[str, tuple[str, list[onnx.NodeProto]]] = {}
    for node in _nodes(proto.graph):
        if not _known(node, opset):
            layer, kind = describe_origin(model, node.name)
            by_layer.setdefault(layer, (kind, []))[1].append(node)
    if not by_layer:
        return
    layer, (kind, nodes) = next(iter(by_layer.items()))
    operations = ", ".join(sorted({node.op_type for node in nodes}))
    why = next((failed.reasons[node.name] for node in nodes if node.name in failed.reasons), None)
    if isinstance(why, UnsupportedModelError):
        raise UnsupportedModelError(f"`{source}`, {layer}: {why}")
    detail = "" if why is None else f" ({' '.join(str(why).split())[:200]})"
    others = f", and {len(by_layer) - 1} more such layers" if len(by_layer) > 1 else ""
    raise UnsupportedModelError(
        f"`{source}` must consist of operations that ONNX has. Received: {operations}{detail} in {layer}{others}. "
        f"{ADVICE.get(kind, LOST)}"
    )


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _nodes(inner)


def _known(node: onnx.NodeProto, opset: int) -> bool:
    if node.domain not in ("", "ai.onnx"):
        return False
    try:
        return not onnx.defs.get_schema(node.op_type, opset, "").deprecated
    except onnx.defs.SchemaError:
        return False
