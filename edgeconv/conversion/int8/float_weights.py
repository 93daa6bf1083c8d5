"""Operators without an int8 kernel: they compute in float, and their weights are stored in 8 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import onnx

from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.conversion.weights_only.storing import nearest, with_steps
from edgeconv.manifest_blocks import FloatNode

OPERATORS = {"ConvTranspose", "GRU", "If", "LSTM", "Loop", "RNN", "Scan"}
"""Those that have weights, and that targets leave in float wherever they stand."""

STORED = "; its weights are stored in 8 bits"


def store_in_8_bits(
    model: onnx.ModelProto, float_nodes: Sequence[FloatNode]
) -> tuple[onnx.ModelProto, tuple[FloatNode, ...]]:
    """Return a model that makes floats of the weights of such operators as it is opened, and its nodes with that said.

    The steps are symmetric, with a scale for each output channel.

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
    return with_steps(model, [nearest(each, 8) for each in weights], once=True), said
