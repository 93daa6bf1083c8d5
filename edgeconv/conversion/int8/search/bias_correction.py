"""Empirical bias correction: what int8 shifts the mean of an output channel by is taken off the layer's bias.

M. Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.2 and
appendix D: layer by layer in the order of the graph, each measured with those before it corrected already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.graph.qdq import dequantizers
from edgeconv.conversion.int8.search.channels import measure_channels
from edgeconv.conversion.int8.search.weights import OPERATORS, reads, with_weights
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

Batches = Callable[[], Iterable[Feeds]]
Shifts = Mapping[str, NDArray[np.float64]]
"""What is added to the biases: float64, (channels,), by the name of the layer's node."""

_INT32 = np.iinfo(np.int32)


def find_shifts(
    fp32: onnx.ModelProto, quantized: onnx.ModelProto, batches: Batches, *, progress: Progress = SILENT
) -> Shifts:
    """Measure what int8 shifts each output channel by, and what its bias must get.

    Layers in float are corrected as well: what int8 shifts before them comes through them.

    Every layer takes a run of the model up to there over all images, half a run of the model in the mean: give as many
    images as the means need, some hundred, and not all. No activation is kept.

    Args:
        fp32: the prepared float model, whose layers have biases: see `with_biases`.
        quantized: the same in QDQ form; stays as it is.
        batches: starts the calibration images anew, a batch at a time.
        progress: sees a bar of layers.
    """
    corrected = onnx.ModelProto()
    corrected.CopyFrom(quantized)
    float_names = {node.name for node in fp32.graph.node if node.op_type in OPERATORS and len(node.input) > 2}
    layers = [node for node in corrected.graph.node if node.op_type in OPERATORS and node.name in float_names]
    shifts: dict[str, NDArray[np.float64]] = {}
    if not any(_is_int8(corrected, node) for node in layers):
        return shifts
    with progress.bar("Correcting biases", 1 + len(layers)) as advance:
        wanted = measure_channels(fp32, [node.name for node in layers], batches(), "mean")
        advance(1, "float")
        for node in layers:
            received = measure_channels(corrected, [node.name], batches(), "mean")[node.name]
            shifts[node.name] = wanted[node.name] - received
            _shift(corrected, node.input[2], shifts[node.name])
            advance(1, node.name)
    return shifts


def with_shifts(fp32: onnx.ModelProto, shifts: Shifts) -> onnx.ModelProto:
    """Return a float model whose biases have the shifts added, ready to be quantized on the ranges it had before."""
    stored = {tensor.name: tensor for tensor in fp32.graph.initializer}
    changed: dict[str, dict[int, NDArray[np.float32]]] = {}
    for node in fp32.graph.node:
        if node.name in shifts and node.op_type in OPERATORS:
            shift = shifts[node.name]
            bias = onnx.numpy_helper.to_array(stored[node.input[2]]) if len(node.input) > 2 else np.zeros(shift.shape)
            changed[node.output[0]] = {2: (bias.ravel() + shift).astype(np.float32)}
    return with_weights(fp32, changed)


def with_biases(fp32: onnx.ModelProto) -> onnx.ModelProto:
    """Return a float model in which every layer of constant weights has a bias of its own, zero where it had none.

    Equal biases are one constant in a simplified model; shifted for one layer it would be for the others, too.
    """
    stored = {tensor.name: tensor for tensor in fp32.graph.initializer}
    readers = Counter(name for node in fp32.graph.node for name in reads(node))
    changed: dict[str, dict[int, NDArray[np.float32]]] = {}
    for node in fp32.graph.node:
        if node.op_type not in OPERATORS or node.input[1] not in stored:
            continue
        if len(node.input) == 2:
            shape = stored[node.input[1]].dims
            in_columns = node.op_type == "Gemm" and not any(item.name == "transB" and item.i for item in node.attribute)
            changed[node.output[0]] = {2: np.zeros(shape[1] if in_columns else shape[0], np.float32)}
        elif readers[node.input[2]] > 1 and node.input[2] in stored:
            changed[node.output[0]] = {2: onnx.numpy_helper.to_array(stored[node.input[2]])}
    return with_weights(fp32, changed)


def _is_int8(model: onnx.ModelProto, layer: onnx.NodeProto) -> bool:
    return layer.input[1] in dequantizers(model.graph.node)


def _shift(model: onnx.ModelProto, bias: str, shift: NDArray[np.float64]) -> None:
    """Add to a bias in place: to its float values, or to the int32 steps behind its DequantizeLinear."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    dequantizer = dequantizers(model.graph.node).get(bias)
    tensor = stored[bias if dequantizer is None else dequantizer.input[0]]
    array = onnx.numpy_helper.to_array(tensor)
    if dequantizer is None:
        changed = (array + shift).astype(array.dtype)
    else:
        steps = np.rint(shift / onnx.numpy_helper.to_array(stored[dequantizer.input[1]]))
        changed = np.clip(array + steps, _INT32.min, _INT32.max).astype(array.dtype)
    tensor.CopyFrom(onnx.numpy_helper.from_array(changed, tensor.name))
