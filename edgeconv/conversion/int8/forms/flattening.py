"""Maps flattened with their channels last, as they lie in memory, for a dense layer whose weights go along."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, nodes_of, only_consumer, sizes
from edgeconv.conversion.graph.qdq import (
    DEQUANTIZE,
    dequantized,
    dequantizer_before,
    quantizer_before,
    quantizer_behind,
    scale_of,
)
from edgeconv.conversion.int8.forms.layouts import TO_LAST, reshaped, transposed
from edgeconv.conversion.int8.forms.nodes import add_node


def flatten_channels_last(model: ir.Model) -> int:
    """Flatten maps without a copy before dense layers; return how many.

    Cases: the flattening stands between a DequantizeLinear and a QuantizeLinear of one scale, or moves the integers.

    Args:
        model: a QDQ graph, changed in place; its shapes are inferred.
    """
    changed = 0
    for gemm in nodes_of(model, "Gemm"):
        read = dequantizer_before(gemm.inputs[0])
        flat = read.inputs[0] if read is not None else None
        if read is None or flat is None or only_consumer(read.outputs[0]) is not gemm:
            continue
        if only_consumer(flat) is not read:
            continue
        maps = _flattened_maps(flat)
        shape = sizes(maps)
        weights = dequantized(gemm.inputs[1])
        kernel = None if weights is None else weights.array
        if maps is None or shape is None or weights is None or kernel is None or attribute(gemm, "transA", 0):
            continue
        size = [length for length in shape[1:] if isinstance(length, int)]
        inner = 1 if attribute(gemm, "transB", 0) else 0
        if len(size) != 3 or size[0] == 1 or size[1] * size[2] == 1 or kernel.shape[inner] != np.prod(size):
            continue
        order = np.arange(kernel.shape[inner]).reshape(size).transpose(1, 2, 0).reshape(-1)
        moved = reshaped(model, transposed(model, maps, TO_LAST, read), (-1, len(order)), read)
        read.replace_input_with(0, moved)
        old = gemm.inputs[1].producer() if gemm.inputs[1] is not None else None
        if old is None:
            continue
        inputs = [add_constant(model, kernel.take(order, axis=inner)), *old.inputs[1:]]
        gemm.replace_input_with(1, add_node(model, gemm, DEQUANTIZE, inputs, {"axis": weights.axis}))
        changed += 1
    return changed


def _flattened_maps(flat: ir.Value) -> ir.Value | None:
    """Return the integer maps, of four axes, that a tensor of two is flattened from, or None."""
    node, quantizer = flat.producer(), quantizer_before(flat)
    if quantizer is not None and quantizer.inputs[0] is not None:
        flattening = quantizer.inputs[0].producer()
        if flattening is None or not _flattens(flattening) or quantizer_behind(quantizer.inputs[0]) is not quantizer:
            return None
        before, after = dequantized(flattening.inputs[0]), scale_of(quantizer)
        same = before is not None and after is not None and before.array is None and before.scale.equals(after)
        return before.tensor if before is not None and same and len(sizes(before.tensor) or ()) == 4 else None
    if node is not None and _flattens(node) and len(sizes(node.inputs[0]) or ()) == 4:
        return node.inputs[0]
    return None


def _flattens(node: ir.Node) -> bool:
    """Whether a node makes rows of whatever it reads, one for each of the batch."""
    if node.domain != "" or node.op_type not in {"Reshape", "Flatten"}:
        return False
    if node.op_type == "Flatten":
        return bool(attribute(node, "axis", 1) == 1)
    before, after = sizes(node.inputs[0]), sizes(node.outputs[0])
    if before is None or after is None or len(after) != 2 or not all(isinstance(size, int) for size in before[1:]):
        return False
    return after[1] == int(np.prod([size for size in before[1:] if isinstance(size, int)]))
