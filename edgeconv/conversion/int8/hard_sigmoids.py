"""Hard sigmoids in integers: an addition whose quantization does the clipping, and a scale that does the slope.

ONNX Runtime has no int8 kernel for HardSigmoid, and makes one of HardSwish too, with a Mul: each would be computed in
float between a DequantizeLinear and a QuantizeLinear.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, attribute, constant, nodes_of
from edgeconv.conversion.graph.qdq import DEQUANTIZE, dequantizer_before, dequantizer_behind, quantizer_behind

_STEPS = 255


def add_up_hard_sigmoids(model: ir.Model, excluded: Collection[str]) -> int:
    """Replace ``clip(a * x + b, 0, 1)`` between quantized tensors by ``a * clip(x + b / a, 0, 1 / a)``; tell how often.

    The sum is quantized from 0 to 1 / a, outside of which it saturates. The same integers, read with the scale of 0 to
    1, are the answer in steps of 1/255.

    Args:
        model: a QDQ model; changed in place.
        excluded: names of nodes that are to stay in float.
    """
    changed = 0
    for node in nodes_of(model, "HardSigmoid"):
        slope, shift = float(attribute(node, "alpha", 0.2)), float(attribute(node, "beta", 0.5))
        source, quantizer = node.inputs[0], quantizer_behind(node.outputs[0])
        if source is None or quantizer is None or dequantizer_before(source) is None or node.name in excluded:
            continue
        dequantizer, zero_point = dequantizer_behind(quantizer.outputs[0]), constant(quantizer.inputs[2])
        if dequantizer is None or zero_point is None or slope <= 0:
            continue
        scale = np.float32(1 / slope / _STEPS)
        lowest = np.array(np.iinfo(zero_point.dtype).min, zero_point.dtype)
        highest = np.array(np.iinfo(zero_point.dtype).max, zero_point.dtype)
        # What is added is quantized exactly, as the end of a range that begins at 0.
        added = shift / slope
        steps, origin = (highest, lowest) if added > 0 else (lowest, highest if added < 0 else lowest)
        constants = [steps, np.array(abs(added) / _STEPS or 1, np.float32), origin]
        term = ir.node(DEQUANTIZE, [add_constant(model, array) for array in constants], name=f"{node.name}/Term")
        total = ir.node("Add", [source, term.outputs[0]], name=node.name)
        model.graph.insert_before(node, [term, total])
        quantizer.replace_input_with(0, total.outputs[0])
        quantizer.replace_input_with(1, add_constant(model, np.array(scale)))
        quantizer.replace_input_with(2, add_constant(model, lowest))
        dequantizer.replace_input_with(1, add_constant(model, np.array(1 / _STEPS, np.float32)))
        dequantizer.replace_input_with(2, add_constant(model, lowest))
        model.graph.remove(node, safe=True)
        changed += 1
    return changed
