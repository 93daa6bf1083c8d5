"""Networks of dense layers: one scale for weights whose channels are alike, and answers that no 256 steps make coarse.

ONNX Runtime's QGemm computes the scale of every output channel anew in each call, which at one sample takes as long as
the products of a small layer do: 0.7 us of 2.6 for 128 x 128 on an Intel Xeon with AVX-512 VNNI.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.qdq import before_pair, dequantizer_before

MOST_NOISE = 2.5
"""By how much rounding may err more with one scale for all channels than with one for each: a root of a mean square.
In trained networks activations, whose steps are coarser, err by more than that all the same."""


def weights_of_one_scale(fp32: onnx.ModelProto) -> list[str]:
    """Return the names of weights that are to have one scale, of a network in which dense layers are what takes time.

    Those behind which the answer is float stay, since no output is scaled there.
    """
    graph = fp32.graph
    if any(node.op_type in _NOT_DENSE for node in graph.node):
        return []
    constants = {tensor.name: tensor for tensor in graph.initializer}
    dense = [node for node in graph.node if node.op_type == "Gemm" and node.input[1] in constants]
    read_by_dense = _read_by(graph, dense)
    hidden = [node for node in dense if node.output[0] in read_by_dense]
    return sorted({node.input[1] for node in hidden if _noise(_largest(node, constants)) <= MOST_NOISE})


_NOT_DENSE = {"Conv", "ConvTranspose", "GRU", "LSTM", "Loop", "MatMul", "RNN", "Scan"}


def _read_by(graph: onnx.GraphProto, dense: list[onnx.NodeProto]) -> set[str]:
    """Return all that dense layers are computed from."""
    found = {name for node in dense for name in node.input}
    for node in reversed(graph.node):
        if found & set(node.output):
            found |= set(node.input)
    return found


def _largest(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> NDArray[np.float32]:
    """Return the largest weight of each output of a Gemm."""
    weights = np.abs(onnx.numpy_helper.to_array(constants[node.input[1]]))
    transposed = any(item.name == "transB" and item.i for item in node.attribute)
    return np.asarray(weights.max(axis=1 if transposed else 0))


def _noise(largest: NDArray[np.float32]) -> float:
    """Return the root of the mean square of how much larger each channel's steps are with the scale of the largest."""
    alive = largest[largest > 0]
    return float(np.sqrt(np.square(alive.max() / alive.astype(np.float64)).mean())) if alive.size else 1.0


def leave_answers_in_float(model: ir.Model) -> None:
    """Take the 256 steps off answers that a Gemm makes: the int32 sums behind them are finer, and cost less time."""
    for place, output in enumerate(model.graph.outputs):
        dequantizer, finer = dequantizer_before(output), before_pair(output)
        gemm = finer.producer() if finer is not None else None
        if dequantizer is None or finer is None or gemm is None or gemm.op_type != "Gemm" or output.uses():
            continue
        name, finer.type, finer.shape = output.name, output.type, output.shape
        output.name, finer.name = f"{name}.steps", name
        model.graph.outputs[place] = finer
