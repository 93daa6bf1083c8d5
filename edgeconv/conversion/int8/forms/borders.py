"""Rows and columns of the pixels that no output depends on, cut off before anything is computed of them.

A pool without padding drops what does not fill its window: of 11 columns behind a convolution, a pool of 2 reads 10.
What the dropped column was computed of can go as well, back to the picture.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, nodes_of, only_consumer, sizes
from edgeconv.conversion.graph.qdq import DEQUANTIZE
from edgeconv.conversion.int8.forms.layouts import TO_FIRST, known_channels_last, transposed
from edgeconv.conversion.int8.forms.nodes import add_node
from edgeconv.conversion.int8.forms.receptive_field import part_read


def cut_borders(model: ir.Model) -> int:
    """Cut off the last rows and columns of the pixels that nothing depends on; return how many pictures are cut.

    Args:
        model: a QDQ graph, changed in place; its shapes are inferred.
    """
    cut = 0
    for dequantizer in nodes_of(model, DEQUANTIZE):
        maps = dequantizer.inputs[0]
        pixels = None if maps is None or maps.is_initializer() else known_channels_last(maps)
        size = None if maps is None else sizes(maps)
        if pixels is None or size is None or len(size) != 4 or maps is None or only_consumer(maps) is None:
            continue
        if not pixels.is_graph_input() or len(pixels.uses()) != 1:
            continue
        if not isinstance(size[2], int) or not isinstance(size[3], int):
            continue
        needed = part_read(dequantizer, (size[2], size[3]))
        if needed is None or needed == (size[2], size[3]):
            continue
        bounds = [np.array(numbers, np.int64) for numbers in ((0, 0), needed, (1, 2))]
        part = add_node(model, dequantizer, "Slice", [pixels, *(add_constant(model, bound) for bound in bounds)])
        part.type, part.shape = maps.type, ir.Shape([size[0], *needed, size[1]])
        dequantizer.replace_input_with(0, transposed(model, part, TO_FIRST, dequantizer))
        cut += 1
    return cut
