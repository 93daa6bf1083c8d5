"""Of equal constants one is left, and only of equal ones."""

from __future__ import annotations

import numpy as np

from edgeconv.conversion.graph.passes.constants import share_equal_constants
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, random

SIZE = 1000


def test_equal_constants_become_the_first_of_them() -> None:
    weights = random(SIZE)
    constants = {"a": weights, "b": weights.copy(), "c": weights[::-1].copy()}
    nodes = [node("Mul", ["x", "a"], ["1"]), node("Mul", ["1", "b"], ["2"]), node("Mul", ["2", "c"], ["y"])]
    before = graph_of(nodes, constants, {"x": ["batch", SIZE]})
    count, after = changed(share_equal_constants, before)
    assert count == 1
    assert [list(item.input) for item in after.graph.node] == [["x", "a"], ["1", "a"], ["2", "c"]]
    assert {tensor.name for tensor in after.graph.initializer} == {"a", "c"}
    assert_same(before, after, x=random(3, SIZE))


def test_constants_that_differ_at_the_end_in_shape_or_in_a_sign_of_zero_stay_apart() -> None:
    zeros = np.zeros(SIZE, np.float32)
    last, negative = zeros.copy(), -zeros
    last[-1] = 1.0
    constants = {"zeros": zeros, "last": last, "negative": negative, "row": zeros[None]}
    nodes = [node("Sum", ["x", *constants], ["y"])]
    before = graph_of(nodes, constants, {"x": ["batch", SIZE]})
    assert changed(share_equal_constants, before)[0] == 0


def test_an_output_that_is_a_constant_keeps_its_name() -> None:
    weights = random(3)
    constants = {"a": weights, "y": weights.copy()}
    before = graph_of([node("Mul", ["x", "a"], ["z"])], constants, {"x": ["batch", 3]}, ["z", "y"])
    assert changed(share_equal_constants, before)[0] == 0
