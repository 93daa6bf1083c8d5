"""One-line errors, each naming the Keras layer, for what ONNX cannot express."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx

from edgeconv.conversion.graph.layer_names import MARK, layer_of_traced
from edgeconv.conversion.graph.reading import all_nodes
from edgeconv.conversion.tracing.layer_calls import describe_origin
from edgeconv.errors import UnsupportedModelError, one_line

ADVICE = {
    "StringLookup": "Look the strings up before the model, and make the model of the indices.",
    "IntegerLookup": "Look the integers up before the model, and make the model of the indices.",
    "TextVectorization": "Make tokens of the text before the model, and make the model of the tokens.",
    "Hashing": "Hash before the model, and make the model of the hashes.",
    "HashedCrossing": "Cross and hash before the model, and make the model of the hashes.",
    "StringDatetime": "Parse dates before the model.",
    "SavedModel": "Give the model as a `.keras` or `.h5` file, or choose another part of it with `--signature`.",
}
"""What to do about a layer class."""

_OPERATION = re.compile(r"'\{\{node [^']*?\}\} = (\w+)[^']*'")
"""How TensorFlow quotes an operation in a message."""

_PATH = re.compile(rf"[\w.-]+{re.escape(MARK)}(?:_\d+)?/[\w./-]*")
"""A name of a node with marks of layers in it."""

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
    reason = one_line(plain(error))
    return UnsupportedModelError(
        f"`{source}` must consist of layers that can be traced. "
        f"Received{where}: {type(error).__name__}: {reason}. {LOST}"
    )


def plain(error: BaseException) -> str:
    """Return an error's message on one line, with the names of layers and operations as their author knows them.

    Example:
        >>> plain(ValueError("Bad size for '{{node model._1/conv._1/Add_1}} = Add[T=DT_FLOAT](model._1/x)'"))
        'Bad size for `Add`'
        >>> plain(KeyError("no shape: model._1/conv._1/Add_1"))
        "'no shape: conv/Add_1'"
    """
    message = _OPERATION.sub(r"`\1`", one_line(error, most=None))
    return _PATH.sub(lambda found: _unmarked(found[0]), message)


def _unmarked(node_name: str) -> str:
    layer, operation = layer_of_traced(node_name), node_name.rpartition("/")[2]
    return f"{layer}/{operation}" if layer else operation


def refuse_foreign_nodes(proto: onnx.ModelProto, model: Any, failed: FailedNodes, *, opset: int, source: str) -> None:
    """Raise if a node is no operator of ONNX: tf2onnx leaves what it cannot convert as it was.

    Raises:
        UnsupportedModelError: names the layer, its class and its foreign operations.
    """
    by_layer: dict[str, tuple[str, list[onnx.NodeProto]]] = {}
    for node in all_nodes(proto.graph):
        if not _known(node, opset):
            description, layer = describe_origin(model, node.name)
            by_layer.setdefault(description, (type(layer).__name__, []))[1].append(node)
    if not by_layer:
        return
    description, (kind, nodes) = next(iter(by_layer.items()))
    operations = ", ".join(sorted({node.op_type for node in nodes}))
    why = next((failed.reasons[node.name] for node in nodes if node.name in failed.reasons), None)
    if isinstance(why, UnsupportedModelError):
        raise UnsupportedModelError(f"`{source}`, {description}: {why}")
    detail = "" if why is None else f" ({plain(why)[:200]})"
    others = f", and {len(by_layer) - 1} more such layers" if len(by_layer) > 1 else ""
    raise UnsupportedModelError(
        f"`{source}` must consist of operations that ONNX has. Received: {operations}{detail} in {description}"
        f"{others}. {ADVICE.get(kind, LOST)}"
    )


def _known(node: onnx.NodeProto, opset: int) -> bool:
    if node.domain not in ("", "ai.onnx"):
        return False
    try:
        return not onnx.defs.get_schema(node.op_type, opset, "").deprecated
    except onnx.defs.SchemaError:
        return False
