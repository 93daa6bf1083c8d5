"""Operators without an int8 kernel: they compute in float, and their weights are stored in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx

from edgeconv.conversion.weights_only.constants import Weights, weights_in
from edgeconv.conversion.weights_only.storing import nearest, with_steps
from edgeconv.manifest_blocks import FloatNode

OPERATORS = {"ConvTranspose", "GRU", "If", "LSTM", "Loop", "RNN", "Scan"}
"""Those that have weights, and that targets leave in float wherever they stand."""

STORED = "; its weights are stored in 8 bits"


def store_in_8_bits(
    model: onnx.ModelProto, float_nodes: Sequence[FloatNode]
) -> tuple[onnx.ModelProto, tuple[FloatNode, ...]]:
    """Return a model that makes floats of the weights of such operators, once a call, and its nodes with that said.

    The steps are symmetric, with a scale for each output channel, or for each input (see `_by_rows`).

    Args:
        model: in QDQ form; not changed.
        float_nodes: what stays in float, for lack of a kernel.
    """
    names = {node.node for node in float_nodes if node.operator in OPERATORS}
    read = {node.name: set(node.input) for node in model.graph.node if node.name in names}
    weights = [each for each in weights_in(model) if any(each.name in inputs for inputs in read.values())]
    if not weights:
        return model, tuple(float_nodes)
    chosen = {each.name for each in weights}
    said = tuple(
        replace(node, reason=node.reason + STORED) if chosen & read.get(node.node, set()) else node
        for node in float_nodes
    )
    return with_steps(model, [nearest(_by_rows(each), 8) for each in weights]), said


def _by_rows(weights: Weights) -> Weights:
    """Return weights whose scales are those of inputs where outputs come last.

    There, ONNX Runtime's DequantizeLinear takes another scale for each number, and some eight times as long.
    """
    return replace(weights, axis=0) if weights.axis == weights.array.ndim - 1 else weights
