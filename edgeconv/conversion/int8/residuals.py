"""Sums of a shortcut and a convolution, as TensorRT fuses them: only the shortcut is int8."""

from __future__ import annotations

import onnx_ir as ir


def keep_sums_in_float(model: ir.Model) -> int:
    """Take the Q and DQ off the one side of an Add that comes straight from a convolution; return how many.

    TensorRT computes convolution, Add, activation and the quantization behind them in one kernel; a pair between
    convolution and Add would tear it apart (TensorRT documentation, "Q/DQ Layer-Placement Recommendations": quantize
    the residual input in skip connections).
    """
    changed = 0
    for add in [node for node in model.graph if node.op_type == "Add"]:
        for place, value in enumerate(add.inputs):
            source = _quantized_source(value)
            maker = source.producer() if source is not None else None
            # A shortcut has other readers, or comes from elsewhere: it stays int8, and so does the side of a second.
            if source is not None and maker is not None and maker.op_type == "Conv" and len(source.uses()) == 1:
                add.replace_input_with(place, source)
                changed += 1
                break
    return changed


def _quantized_source(value: ir.Value | None) -> ir.Value | None:
    """Return what a pair of Q and DQ was put behind, or None."""
    dequantizer = value.producer() if value is not None else None
    if dequantizer is None or dequantizer.op_type != "DequantizeLinear" or dequantizer.inputs[0] is None:
        return None
    quantizer = dequantizer.inputs[0].producer()
    return quantizer.inputs[0] if quantizer is not None and quantizer.op_type == "QuantizeLinear" else None
