"""Zeros around a map, left to the convolution or the pool that reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.pads import fold_pads
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, operators, random

AROUND = np.array([0, 0, 1, 1, 0, 0, 1, 2])
ZERO, SIX = np.zeros((), np.float32), np.full((), 6, np.float32)


@pytest.mark.parametrize("opset", [17, 18])
def test_zeros_around_a_map_are_left_to_the_convolution(opset: int) -> None:
    nodes = [
        node("Pad", ["x", "amounts", "value"], ["1"]),
        node("Conv", ["1", "k"], ["y"], strides=[2, 2], pads=[0, 1, 0, 1]),
    ]
    constants = {
        "amounts": np.array([0, 0, 1, 0, 0, 0, 2, 3]),
        "value": np.zeros((), np.float32),
        "k": random(3, 2, 3, 3),
    }
    before = graph_of(nodes, constants, {"x": ["batch", 2, 8, 9]}, opset=opset)
    count, after = changed(fold_pads, before)
    assert (count, operators(after)) == (1, ["Conv"])
    assert_same(before, after, x=random(2, 2, 8, 9))


@pytest.mark.parametrize(
    ("amounts", "value", "mode"),
    [
        ([0, 0, 1, 1, 0, 0, 1, 1], 1.0, "constant"),
        ([0, 0, 1, 1, 0, 0, 1, 1], 0.0, "reflect"),
        ([0, 0, -1, 1, 0, 0, 1, 1], 0.0, "constant"),
        ([0, 1, 0, 0, 0, 0, 0, 0], 0.0, "constant"),
    ],
)
def test_other_pads_stay(amounts: list[int], value: float, mode: str) -> None:
    nodes = [node("Pad", ["x", "amounts", "value"], ["1"], mode=mode), node("Conv", ["1", "k"], ["y"])]
    channels = 3 if amounts[1] else 2
    constants = {"amounts": np.array(amounts), "value": np.array(value, np.float32), "k": random(3, channels, 3, 3)}
    assert changed(fold_pads, graph_of(nodes, constants, {"x": ["batch", 2, 8, 9]}))[0] == 0


def padded_pool(activation: Any, **attributes: Any) -> Any:
    """Return an activation, zeros around it, and the largest of each window of 3x3, of maps (batch, 2, 8, 9)."""
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], **attributes}
    outputs = ["y"] if "storage_order" not in pool else ["y", "where"]
    nodes = [activation, node("Pad", ["1", "amounts", "zero"], ["2"]), node("MaxPool", ["2"], outputs, **pool)]
    constants = {"amounts": AROUND, "zero": ZERO, "six": SIX, "low": np.full((), -1, np.float32)}
    return graph_of(nodes, constants, {"x": ["batch", 2, 8, 9]}, outputs)


@pytest.mark.parametrize(
    "activation",
    [
        node("Relu", ["x"], ["1"]),
        node("Clip", ["x", "zero", "six"], ["1"]),
        node("Sigmoid", ["x"], ["1"]),
        node("HardSigmoid", ["x"], ["1"]),
    ],
    ids=lambda made: made.op_type,
)
def test_zeros_around_what_is_never_negative_are_left_to_the_pool(activation: Any) -> None:
    """As ResNet and DenseNet begin."""
    for attributes in ({}, {"auto_pad": "VALID"}, {"pads": [1, 0, 0, 0], "kernel_shape": [3, 4]}):
        before = padded_pool(activation, **attributes)
        count, after = changed(fold_pads, before)
        assert (count, operators(after)) == (1, [activation.op_type, "MaxPool"])
        assert_same(before, after, x=3 * random(2, 2, 8, 9))


@pytest.mark.parametrize(
    "attributes",
    [
        {"kernel_shape": [2, 2]},
        {"dilations": [2, 2]},
        {"ceil_mode": 1},
        {"auto_pad": "SAME_UPPER"},
        {"storage_order": 0},
    ],
    ids=["windows of zeros alone", "dilated", "ceil_mode", "auto_pad", "where the largest is"],
)
def test_other_pools_keep_their_zeros(attributes: dict[str, Any]) -> None:
    assert changed(fold_pads, padded_pool(node("Relu", ["x"], ["1"]), **attributes))[0] == 0


@pytest.mark.parametrize(
    "activation",
    [node("Tanh", ["x"], ["1"]), node("Clip", ["x", "low", "six"], ["1"]), node("Clip", ["x", "", "six"], ["1"])],
    ids=["Tanh", "Clip from -1", "Clip without a lower bound"],
)
def test_zeros_above_what_may_be_negative_stay(activation: Any) -> None:
    assert changed(fold_pads, padded_pool(activation))[0] == 0
