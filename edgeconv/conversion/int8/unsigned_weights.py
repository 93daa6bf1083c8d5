"""Weights of int8 as uint8: the same numbers, in products that every processor adds up right.

x86 processors without VNNI multiply uint8 activations by int8 weights in pairs whose 16-bit sums overflow. ONNX Runtime
recodes the weights itself when it is asked to (`session.x64quantprecision`), but not where nobody can ask: its backend
in Triton passes no such entry on, and a file in ORT format is run as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import numpy_helper

from edgeconv.conversion.graph.qdq import dequantizers

_SHIFT = 128


def with_unsigned_weights(model: bytes) -> bytes:
    """Return a model with its int8 weights, and their zero points, moved up by 128; equal for equal arguments.

    Weights are what is dequantized from a constant: (w + 128) - (0 + 128) is w, so no value changes.

    Args:
        model: the bytes of an `.onnx` file, quantized in QDQ form; one without int8 weights stays as it is.

    Example:
        >>> with_unsigned_weights(Path("exported/mnist/model.int8.onnx").read_bytes())[:0]  # doctest: +SKIP
        b''
    """
    changed = onnx.load_model_from_string(model)
    graph = changed.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    readers = [node for node in dequantizers(graph.node).values() if _is_int8(constants.get(node.input[0]))]
    if not readers:
        return model
    weights = dict.fromkeys(node.input[0] for node in readers)
    for name in weights:
        constants[name].CopyFrom(numpy_helper.from_array(_moved(constants[name]), name))
    for described in graph.value_info:
        if described.name in weights:
            described.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    for node in readers:
        zero_point = f"{node.input[0]}/unsigned_zero_point"
        if zero_point not in constants:
            scale = numpy_helper.to_array(constants[node.input[1]])
            zeros = _moved(constants[node.input[2]]) if len(node.input) > 2 else np.full(scale.shape, _SHIFT, np.uint8)
            graph.initializer.append(numpy_helper.from_array(zeros, zero_point))
            constants[zero_point] = graph.initializer[-1]
        node.input[:] = [*node.input[:2], zero_point]
    _drop_unused(graph)
    data: bytes = changed.SerializeToString(deterministic=True)
    return data


def _is_int8(weights: onnx.TensorProto | None) -> bool:
    return weights is not None and weights.data_type == onnx.TensorProto.INT8


def _moved(tensor: onnx.TensorProto) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (numpy_helper.to_array(tensor).astype(np.int16) + _SHIFT).astype(np.uint8)


def _drop_unused(graph: onnx.GraphProto) -> None:
    used = set(_names_read(graph))
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _names_read(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield what the nodes and the outputs of a graph and of the graphs inside it read."""
    yield from (output.name for output in graph.output)
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _names_read(attribute.g)
