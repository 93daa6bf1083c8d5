"""Sums of a shortcut and a convolution, as TensorRT fuses them: only the shortcut is int8."""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import nodes_of
from edgeconv.conversion.graph.qdq import before_pair


def keep_sums_in_float(model: ir.Model) -> int:
    """Take the Q and DQ off the one side of an Add that comes straight from a convolution; return how many.

    TensorRT computes convolution, Add, activation and the quantization behind them in one kernel; a pair between
    convolution and Add would tear it apart (TensorRT documentation, "Q/DQ Layer-Placement Recommendations": quantize
    the residual input in skip connections).
    """
    changed = 0
    for add in nodes_of(model, "Add"):
        for place, value in enumerate(add.inputs):
            source = before_pair(value)
            producer = source.producer() if source is not None else None
            # A shortcut has other readers, or comes from elsewhere: it stays int8, and so does the side of a second.
            if source is not None and producer is not None and producer.op_type == "Conv" and len(source.uses()) == 1:
                add.replace_input_with(place, source)
                changed += 1
                break
    return changed
