"""The scaling of pixels, folded into the first layer: raw pixels meet weights that expect them.

``Conv(x * scale + offset)`` is ``Conv'(x)`` with the kernel times `scale`, and the bias plus `offset` times the sum
of the kernel. Cases: Conv, and Gemm. With an offset a Conv that pads must stay as it is, since the padding is zero
after the offset, and would be zero before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.passes.graph import add_constant, constant, only_consumer

_LAYOUT_ONLY = {"Reshape", "Transpose", "Flatten"}


def fold_scaling(model: ir.Model) -> int:
    """Fold Mul and Add of scalars between the input and the first Conv or Gemm into it; return how many nodes went."""
    chain, layer = _scalars_before_layer(model.graph.inputs[0])
    if not chain or layer is None:
        return 0
    scale, offset = 1.0, 0.0
    for node, number in chain:
        scale, offset = (scale * number, offset * number) if node.op_type == "Mul" else (scale, offset + number)
    kernel = constant(layer.inputs[1])
    if kernel is None or (offset and not _folds_offset(layer)):
        return 0
    old_bias = constant(layer.inputs[2]) if len(layer.inputs) > 2 else None
    if len(layer.inputs) > 2 and layer.inputs[2] is not None and old_bias is None:
        return 0
    layer.replace_input_with(1, add_constant(model, (kernel.astype(np.float64) * scale).astype(kernel.dtype)))
    if offset:
        added = kernel.astype(np.float64).sum(axis=tuple(range(1, kernel.ndim)) if layer.op_type == "Conv" else 0)
        bias = (0.0 if old_bias is None else old_bias) + offset * added
        layer.resize_inputs(3)
        layer.replace_input_with(2, add_constant(model, bias.astype(kernel.dtype)))
    for node, _ in chain:
        source = node.inputs[0] if constant(node.inputs[1]) is not None else node.inputs[1]
        ir.convenience.replace_all_uses_with(node.outputs[0], source)  # type: ignore[arg-type]
        model.graph.remove(node, safe=True)
    return len(chain)


def _scalars_before_layer(value: ir.Value) -> tuple[list[tuple[ir.Node, float]], ir.Node | None]:
    """Follow the only path from the input; return its Mul and Add nodes with their scalars, and the layer behind."""
    chain: list[tuple[ir.Node, float]] = []
    while (node := only_consumer(value)) is not None:
        if node.op_type in {"Conv", "Gemm"} and node.inputs[0] is value:
            return chain, node
        if node.op_type in {"Mul", "Add"}:
            number = _scalar(constant(node.inputs[0]), constant(node.inputs[1]))
            if number is None:
                return [], None
            chain.append((node, number))
        elif node.op_type != "Cast" and node.op_type not in _LAYOUT_ONLY:
            return [], None
        value = node.outputs[0]
    return [], None


def _scalar(*operands: NDArray[Any] | None) -> float | None:
    found = [operand for operand in operands if operand is not None]
    return float(found[0].item()) if len(found) == 1 and found[0].size == 1 else None


def _folds_offset(layer: ir.Node) -> bool:
    if layer.op_type == "Gemm":
        return not any(name in layer.attributes for name in ("alpha", "beta", "transB"))
    pads = layer.attributes["pads"].as_ints() if "pads" in layer.attributes else []
    auto = layer.attributes["auto_pad"].as_string() if "auto_pad" in layer.attributes else "NOTSET"
    return not any(pads) and auto in {"NOTSET", "VALID"}
