"""Channels that are turned round before a convolution are turned round in its kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.channel_order import fold_channel_order
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, operators, random

BEYOND = 10**9
"""What tf2onnx writes for the end of an axis."""


def _reversed(axis: int, start: int = -1) -> Any:
    nodes = [
        node("Slice", ["x", "starts", "ends", "axes", "steps"], ["turned"]),
        node("Transpose", ["turned"], ["first"], perm=[0, 3, 1, 2]),
        node("Conv", ["first", "kernel"], ["y"]),
    ]
    bounds = {"starts": [0, start], "ends": [BEYOND, -BEYOND], "axes": [0, axis], "steps": [1, -1]}
    constants = {name: np.array(values, np.int64) for name, values in bounds.items()}
    return graph_of(nodes, {**constants, "kernel": random(4, 3, 3, 3)}, {"x": ["batch", 6, 6, 3]})


@pytest.mark.parametrize("start", [-1, 2, BEYOND])
def test_blue_first_folds_into_the_kernel(start: int) -> None:
    before = _reversed(3, start)
    count, after = changed(fold_channel_order, before)
    assert (count, operators(after)) == (1, ["Transpose", "Conv"])
    assert_same(before, after, x=random(2, 6, 6, 3))


def test_a_picture_turned_upside_down_stays() -> None:
    count, _ = changed(fold_channel_order, _reversed(1))
    assert count == 0
