"""Weights of 4 bits rounded by what their layers make of real inputs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx.numpy_helper import from_array

from edgeconv.conversion.int8.rounding.reconstruction import reconstruct
from edgeconv.conversion.int8.rounding.sampling import sample_rows
from edgeconv.conversion.weights_only.constants import Weights
from edgeconv.conversion.weights_only.storing import HIGHEST, Steps, nearest, spread
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

Batches = Callable[[], Iterable[Feeds]]


def rounded(
    fp32: onnx.ModelProto,
    weights: Sequence[Weights],
    batches: Batches,
    *,
    in_8_bits: Collection[str] = (),
    progress: Progress = SILENT,
) -> list[Steps]:
    """Return weights in 4 bits, layer after layer, each on what those before it give; others in 8, nearest.

    Args:
        fp32: the float model.
        weights: of it, in the order of the graph.
        batches: starts the calibration samples anew, a batch at a time.
        in_8_bits: names of constants that are to have 8 bits.
        progress: sees a bar of layers.
    """
    work = onnx.ModelProto()
    work.CopyFrom(fp32)
    tensors = {tensor.name: tensor for tensor in work.graph.initializer}
    found = list[Steps]()
    with progress.bar("Rounding weights", len(weights)) as advance:
        for number, each in enumerate(weights):
            steps = nearest(each, 8 if each.name in in_8_bits else 4)
            if steps.bits == 4:
                steps = _reconstructed(fp32, work, steps, batches, number)
            tensors[each.name].CopyFrom(from_array(steps.values, each.name))
            found.append(steps)
            advance(1, each.name)
    return found


def _reconstructed(fp32: onnx.ModelProto, work: onnx.ModelProto, plain: Steps, batches: Batches, seed: int) -> Steps:
    """Return steps of 4 bits on the scales of the nearest ones."""
    layout = plain.weights.layout
    if layout is None:
        return plain
    value = layout.node.input[0]
    given, received = (sample_rows(model, layout, value, batches(), seed) for model in (fp32, work))
    rows = layout.as_rows(plain.weights.array).astype(np.float64)
    scale = spread(plain.scale, layout.width).reshape(rows.shape).astype(np.float64)
    free = np.full(rows.shape, np.nan)
    steps, _ = reconstruct(rows, scale, free, HIGHEST[4], given, received, centred=False)
    return replace(plain, steps=steps.reshape(plain.steps.shape).astype(np.int8))
