"""Constants of layers are replaced as often as one likes, and no others with them."""

from __future__ import annotations

import numpy as np
import onnx

from edgeconv.conversion.int8.search.weights import with_weights
from tests.conversion.graph.rewriting import answers, constants_of, graph_of, node, random


def test_constants_are_replaced_again_and_again() -> None:
    before = graph_of([node("Gemm", ["x", "k"], ["y"], "a/Gemm")], {"k": random(3, 2)}, {"x": ["batch", 3]})
    after = before
    for bias in (np.ones(2, np.float32), np.full(2, 5, np.float32)):
        after = with_weights(after, {"y": {2: bias}})
        onnx.checker.check_model(after, full_check=True)
        assert len(after.graph.initializer) == 2, "what nothing reads any more must go"
    x = random(4, 3)
    np.testing.assert_allclose(answers(after, {"x": x})[0], answers(before, {"x": x})[0] + 5, rtol=1e-5)


def test_a_constant_with_another_reader_stays() -> None:
    nodes = [node("Gemm", ["x", "k", "c"], ["y"], "a/Gemm"), node("Gemm", ["x", "k", "c"], ["z"], "b/Gemm")]
    before = graph_of(nodes, {"k": random(3, 2), "c": random(2)}, {"x": ["batch", 3]}, ["y", "z"])
    after = with_weights(before, {"y": {2: np.zeros(2, np.float32)}})
    np.testing.assert_array_equal(constants_of(after)["c"], constants_of(before)["c"])
    x = {"x": random(4, 3)}
    np.testing.assert_array_equal(answers(after, x)[1], answers(before, x)[1])
    assert np.abs(answers(after, x)[0] - answers(before, x)[0]).max() > 0
