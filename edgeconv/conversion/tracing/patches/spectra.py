"""The discrete Fourier transform of real signals, as a product with the matrix of cosines and sines.

tf2onnx converts an RFFT only if nothing but its magnitude is used, and Keras' MelSpectrogram takes real and imaginary
parts. A complex tensor is here one with a last axis of 2 more: (..., bins) becomes (..., bins, 2).

    re[k] = sum_n x[n] cos(2 pi k n / N)      im[k] = -sum_n x[n] sin(2 pi k n / N)

Upstream: https://github.com/onnx/tensorflow-onnx, `make_sure failure: ... only allows ComplexAbs`, no issue yet.
Goes when tf2onnx converts RFFT whatever consumes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeconv.conversion.tracing.patches.handler import Handlers, add, constant, numpy_dtype, replace
from edgeconv.errors import UnsupportedModelError

READERS = {"Real", "Imag", "ComplexAbs"}


def handlers() -> Handlers:
    """Return the handlers of RFFT and of what reads its complex answer."""
    return {"RFFT": (_rfft, []), "Real": (_part, []), "Imag": (_part, []), "ComplexAbs": (_magnitude, [])}


def _rfft(graph: Any, node: Any, _name: str, _args: Any) -> None:
    signal, size = node.input[0], node.inputs[1]
    length = graph.get_shape(signal)[-1]
    readers = {reader.type for reader in graph.find_output_consumers(node.output[0])}
    if not size.is_const() or length <= 0 or not readers <= READERS | {"Gather", "ReduceL2"}:
        raise UnsupportedModelError(
            "a Fourier transform must have a known length, and only its real part, imaginary part or magnitude be "
            f"used. Received: length {length}, used by {', '.join(sorted(readers))}. Transform before the model."
        )
    points = int(np.asarray(size.get_tensor_value(as_list=False)).reshape(-1)[0])
    used = min(points, length)
    angles = 2 * np.pi * (np.outer(np.arange(used), np.arange(points // 2 + 1)) % points) / points
    dtype = numpy_dtype(graph, signal)
    if used < length:
        ends = [constant(graph, node, np.array([place], np.int64)) for place in (0, used, -1)]
        signal = add(graph, node, "Slice", [signal, *ends])
    last = constant(graph, node, np.array([-1], np.int64))
    parts = [
        add(graph, node, "Unsqueeze", [add(graph, node, "MatMul", [signal, constant(graph, node, matrix)]), last])
        for matrix in (np.cos(angles).astype(dtype), -np.sin(angles).astype(dtype))
    ]
    replace(graph, node, "Concat", parts, axis=-1)


def _part(graph: Any, node: Any, _name: str, _args: Any) -> None:
    place = constant(graph, node, np.array(0 if node.type == "Real" else 1, np.int64))
    replace(graph, node, "Gather", [node.input[0], place], axis=-1)


def _magnitude(graph: Any, node: Any, _name: str, _args: Any) -> None:
    replace(graph, node, "ReduceL2", [node.input[0]], axes=[-1], keepdims=0)
