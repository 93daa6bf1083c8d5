"""Large convolutions by matrix products: weights whose zero point is not 0, and numbers that are the same.

ONNX Runtime has a direct kernel for convolutions of int8 weights whose zero point is 0 (onnxruntime/core/mlas/lib,
convsym.cpp). It multiplies by VNNI where the processor has it, and the general way, im2col and a matrix product, by the
tiles of AMX where there are some, which multiply several times as much. With the zero point -1 it goes the general way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, nodes_of
from edgeconv.conversion.graph.qdq import QUANTIZE
from edgeconv.conversion.int8.forms.convolution import convolution_of
from edgeconv.conversion.int8.forms.nodes import dequantize

LEAST_PRODUCTS = 256
"""Products that are summed for each number: with fewer, im2col costs more than it gains."""


def move_weights(model: ir.Model) -> int:
    """Move the weights of large convolutions down by one, and their zero points; return how many.

    Args:
        model: a QDQ graph, changed in place.
    """
    moved = 0
    for quantizer in nodes_of(model, QUANTIZE):
        found = convolution_of(quantizer)
        if found is None or found.groups != 1 or found.kernel.dtype != np.int8 or found.kernel_scale.zero_point.any():
            continue
        if np.prod(found.kernel.shape[1:]) < LEAST_PRODUCTS or found.kernel.min() == np.iinfo(np.int8).min:
            continue
        scale = replace(found.kernel_scale, zero_point=np.full_like(found.kernel_scale.zero_point, -1))
        kernel = add_constant(model, found.kernel - np.int8(1))
        found.node.replace_input_with(1, dequantize(model, kernel, scale, found.node, axis=0))
        moved += 1
    return moved
