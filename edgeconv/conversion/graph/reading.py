"""Read an ONNX file from anywhere: whole, in one file, and without opening another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import onnx

from edgeconv.artifact import read_bytes, require_exported
from edgeconv.conversion.graph.qdq import QDQ
from edgeconv.errors import ArtifactError


def read_model(path: Path) -> tuple[bytes, onnx.ModelProto]:
    """Return a file's bytes and the model in them.

    Raises:
        ArtifactError: the file is absent, is no ONNX file, has names that are no text or nodes without inputs, or keeps
            weights in other files. Their paths come from the file, and have led out of its folder before
            (CVE-2024-27318, CVE-2026-27489).
    """
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # It ships no types.

    require_exported(path)
    try:
        data = read_bytes(path)
        model = onnx.load_model_from_string(data)
    except OSError as error:
        raise ArtifactError(f"`{path}` is required. Received: {error.strerror}. Export the model again.") from error
    except DecodeError as error:
        raise ArtifactError(
            f"`{path}` must be an ONNX file. Received: {len(data):,} bytes that do not parse as one. "
            "Export the model again."
        ) from error
    if not model.ir_version or not model.graph.output:
        raise ArtifactError(
            f"`{path}` must be an ONNX file. Received: {len(data):,} bytes without a graph. Export the model again."
        )
    if not _is_unicode(model):
        raise ArtifactError(
            f"`{path}` must name its parts in UTF-8. Received: bytes that are no text. Get a new copy, or export again."
        )
    if found := next(filter(_is_incomplete, all_nodes(model.graph)), None):
        raise ArtifactError(
            f"`{path}` must give each node its inputs and outputs. Received: {found.op_type} `{found.name}` with "
            f"{len(found.input)} inputs and {len(found.output)} outputs. Get a new copy, or export again."
        )
    functions = (node for function in model.functions for node in function.node)
    for tensor in (*_tensors_of_graph(model.graph), *_tensors_of(functions)):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ArtifactError(
                f"`{path}` must hold all of its weights. Received: `{tensor.name}` in another file. "
                "Save it in one file: `onnx.save(onnx.load(path), path)`."
            )
    return data, model


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of a graph, each before those of its branches and loops."""
    for node in graph.node:
        yield node
        for branch in _branches(node):
            yield from all_nodes(branch)


def _is_incomplete(node: onnx.NodeProto) -> bool:
    """Whether a node has no output, or fewer inputs than its operator takes."""
    domain = "" if node.domain == "ai.onnx" else node.domain
    known = onnx.defs.has(node.op_type, domain)
    least = onnx.defs.get_schema(node.op_type, domain=domain).min_input if known else int(node.op_type in QDQ)
    return not node.output or len(node.input) < least


def _is_unicode(message: Any) -> bool:
    """Whether all text in a message is some: protobuf gives bytes for what is not."""
    for field, value in message.ListFields():
        values = [value] if hasattr(value, "ListFields") or isinstance(value, str | bytes) else value
        if field.type == field.TYPE_STRING and not all(isinstance(text, str) for text in values):
            return False
        if field.type == field.TYPE_MESSAGE and not all(map(_is_unicode, values)):
            return False
    return True


def _tensors_of_graph(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_of(graph.node)


def _tensors_of(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
        for branch in _branches(node):
            yield from _tensors_of_graph(branch)


def _branches(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
