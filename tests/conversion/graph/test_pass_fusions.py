"""Operators that TensorFlow spells out are one operator again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.activations import fuse_hard_sigmoid, fuse_hard_swish, fuse_prelu
from edgeconv.conversion.graph.passes.constants import fold_constants
from edgeconv.conversion.graph.passes.layer_norm import fuse_layer_norm
from edgeconv.conversion.graph.passes.sequences import multiply_sequences
from tests.conversion.graph.rewriting import assert_same, changed, graph_of, node, operators, positive, random


def _relu6(sixth: float = 1 / 6) -> tuple[list[Any], dict[str, np.ndarray]]:
    nodes = [
        node("Add", ["x", "three"], ["1"]),
        node("Clip", ["1", "low", "six"], ["2"]),
        node("Mul", ["2", "sixth"], ["3"]),
        node("Mul", ["x", "3"], ["y"]),
    ]
    numbers = {"low": 0.0, "six": 6.0, "sixth": sixth}
    constants = {name: np.array(number, np.float32) for name, number in numbers.items()}
    return nodes, {**constants, "three": np.full((1, 1), 3.0, np.float32)}


def test_relu6_of_x_plus_3_by_6_is_hard_sigmoid_and_by_x_hard_swish() -> None:
    before = graph_of(*_relu6(), {"x": ["batch", 40]})
    count, after = changed(fuse_hard_sigmoid, before)
    assert (count, operators(after)) == (1, ["HardSigmoid", "Mul"])
    assert_same(before, after, x=4 * random(3, 40))
    count, last = changed(fuse_hard_swish, after)
    assert (count, operators(last)) == (1, ["HardSwish"])
    assert_same(before, last, x=4 * random(3, 40))
    old = graph_of(*_relu6(), {"x": ["batch", 40]}, opset=13)
    assert changed(fuse_hard_swish, changed(fuse_hard_sigmoid, old)[1])[0] == 0


def test_what_is_not_between_0_and_1_is_no_hard_sigmoid() -> None:
    assert changed(fuse_hard_sigmoid, graph_of(*_relu6(0.2), {"x": ["batch", 40]}))[0] == 0
    nodes = [node("Clip", ["x", "low", "six"], ["y"])]
    constants = {"low": np.array(0, np.float32), "six": np.array(6, np.float32)}
    assert changed(fuse_hard_sigmoid, graph_of(nodes, constants, {"x": ["batch", 40]}))[0] == 0


def test_a_clip_of_what_is_scaled_is_hard_sigmoid() -> None:
    nodes = [
        node("Mul", ["x", "a"], ["1"]),
        node("Add", ["1", "b"], ["2"]),
        node("Clip", ["2", "low", "one"], ["y"]),
    ]
    numbers = {"a": 0.2, "b": 0.4, "low": 0.0, "one": 1.0}
    constants = {name: np.array(number, np.float32) for name, number in numbers.items()}
    before = graph_of(nodes, constants, {"x": ["batch", 40]})
    count, after = changed(fuse_hard_sigmoid, before)
    assert (count, operators(after)) == (1, ["HardSigmoid"])
    assert_same(before, after, x=4 * random(3, 40))


@pytest.mark.parametrize("swapped", [False, True])
def test_prelu_is_one_operator(swapped: bool) -> None:
    operands = ["4", "1"] if swapped else ["1", "4"]
    nodes = [
        node("Relu", ["x"], ["1"]),
        node("Neg", ["x"], ["2"]),
        node("Relu", ["2"], ["3"]),
        node("Mul", ["3", "slope"], ["4"]),
        node("Add", operands, ["y"]),
    ]
    before = graph_of(nodes, {"slope": random(1, 4, 1, 1)}, {"x": ["batch", 4, 3, 5]})
    count, after = changed(fuse_prelu, before)
    assert (count, operators(after)) == (1, ["PRelu"])
    assert_same(before, after, x=random(2, 4, 3, 5))


def _layer_norm(axes: list[int], scale: bool, bias: bool) -> list[Any]:
    """As Keras has it: x * g + (b - mean * g)."""
    return [
        node("ReduceMean", ["x"], ["mean"], axes=axes),
        node("Sub", ["x", "mean"], ["d"]),
        node("Mul", ["d", "d"], ["dd"]),
        node("ReduceMean", ["dd"], ["variance"], axes=axes),
        node("Add", ["variance", "epsilon"], ["1"]),
        node("Sqrt", ["1"], ["2"]),
        node("Reciprocal", ["2"], ["3" if scale else "g"]),
        *([node("Mul", ["3", "scale"], ["g"])] if scale else []),
        node("Mul", ["x", "g"], ["xg"]),
        node("Neg", ["mean"], ["minus"]),
        node("Mul", ["minus", "g"], ["4" if bias else "5"]),
        *([node("Add", ["4", "bias"], ["5"])] if bias else []),
        node("Add", ["xg", "5"], ["y"]),
    ]


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("axes", [[2], [1, 2]])
def test_layer_normalization_is_one_operator(axes: list[int], scale: bool, bias: bool) -> None:
    shape = (1, 1, 6) if axes == [2] else (1, 5, 6)
    constants = {"epsilon": np.array(1e-3, np.float32)}
    constants |= ({"scale": positive(*shape)} if scale else {}) | ({"bias": random(*shape)} if bias else {})
    before = graph_of(_layer_norm(axes, scale, bias), constants, {"x": ["batch", 5, 6]})
    count, after = changed(fuse_layer_norm, before)
    assert (count, operators(after)) == (1, ["LayerNormalization"])
    for batch in (1, 3):
        assert_same(before, after, x=random(batch, 5, 6) + 1)


def test_a_norm_over_other_axes_and_at_an_older_opset_stays() -> None:
    constants = {"epsilon": np.array(1e-3, np.float32)}
    first = _layer_norm([1], scale=False, bias=False)
    assert changed(fuse_layer_norm, graph_of(first, constants, {"x": ["batch", 5, 6]}))[0] == 0
    last = _layer_norm([2], scale=False, bias=False)
    assert changed(fuse_layer_norm, graph_of(last, constants, {"x": ["batch", 5, 6]}, opset=16))[0] == 0


@pytest.mark.parametrize("tail", [[5], [1, 5]])
@pytest.mark.parametrize("transposed", [0, 1])
def test_a_dense_layer_multiplies_sequences_as_they_are(tail: list[int], transposed: int) -> None:
    nodes = [
        node("Reshape", ["x", "rows"], ["1"]),
        node("Gemm", ["1", "k", "c"], ["2"], transB=transposed),
        node("Shape", ["x"], ["3"]),
        node("Gather", ["3", "lead"], ["4"]),
        node("Concat", ["4", "tail"], ["5"], axis=0),
        node("Reshape", ["2", "5"], ["y"]),
    ]
    constants = {
        "rows": np.array([-1, 4]),
        "k": random(5, 4) if transposed else random(4, 5),
        "c": random(5),
        "lead": np.array([0, 1]),
        "tail": np.array(tail),
    }
    before = graph_of(nodes, constants, {"x": ["batch", "time", 4]})
    count, after = changed(multiply_sequences, before)
    assert (count, operators(after)) == (1, ["MatMul", "Add", *(["Reshape"] if len(tail) > 1 else [])])
    assert_same(before, after, x=random(2, 7, 4))


def test_a_dense_layer_whose_sequences_come_back_otherwise_stays() -> None:
    nodes = [
        node("Reshape", ["x", "rows"], ["1"]),
        node("MatMul", ["1", "k"], ["2"]),
        node("Reshape", ["2", "back"], ["y"]),
    ]
    constants = {"rows": np.array([-1, 4]), "k": random(4, 6), "back": np.array([-1, 6, 3])}
    assert changed(multiply_sequences, graph_of(nodes, constants, {"x": ["batch", 3, 4]}))[0] == 0


def test_constants_are_computed_unless_they_grow() -> None:
    nodes = [
        node("Reshape", ["k", "target"], ["1"]),
        node("Transpose", ["1"], ["2"], perm=[1, 0]),
        node("Expand", ["small", "large"], ["3"]),
        node("MatMul", ["x", "2"], ["4"]),
        node("Add", ["4", "3"], ["y"]),
    ]
    constants = {
        "k": random(3, 2, 2),
        "target": np.array([3, 4]),
        "small": random(1, 1),
        "large": np.array([100, 3]),
    }
    before = graph_of(nodes, constants, {"x": ["batch", 4]})
    once = changed(fold_constants, before)
    count, after = changed(fold_constants, once[1])
    assert once[0] + count == 2
    assert sorted(operators(after)) == ["Add", "Expand", "MatMul"]
    assert_same(before, after, x=random(100, 4))


@pytest.mark.parametrize("also", ["mean", "g", "d"])
def test_a_norm_of_which_something_else_is_read_stays(also: str) -> None:
    constants = {"epsilon": np.array(1e-3, np.float32)}
    nodes = _layer_norm([2], scale=False, bias=False)
    assert changed(fuse_layer_norm, graph_of(nodes, constants, {"x": ["batch", 5, 6]}, ["y", also]))[0] == 0


def test_a_norm_by_the_spread_of_something_else_stays() -> None:
    constants = {"epsilon": np.array(1e-3, np.float32)}
    nodes = _layer_norm([2], scale=False, bias=False)
    other = next(item for item in nodes if item.output[0] == "xg")
    other.input[0] = "z"
    inputs = {"x": ["batch", 5, 6], "z": ["batch", 5, 6]}
    assert changed(fuse_layer_norm, graph_of(nodes, constants, inputs))[0] == 0


def test_a_variance_over_other_axes_than_the_mean_stays() -> None:
    nodes = _layer_norm([2], scale=False, bias=False)
    nodes[0] = node("ReduceMean", ["x"], ["mean"], axes=[1, 2])
    constants = {"epsilon": np.array(1e-3, np.float32)}
    assert changed(fuse_layer_norm, graph_of(nodes, constants, {"x": ["batch", 5, 6]}))[0] == 0


def test_a_hard_sigmoid_of_a_sum_that_is_scaled() -> None:
    nodes = [
        node("Add", ["x", "b"], ["1"]),
        node("Mul", ["1", "a"], ["2"]),
        node("Clip", ["2", "low", "one"], ["y"]),
    ]
    numbers = {"a": 0.2, "b": 3.0, "low": 0.0, "one": 1.0}
    constants = {name: np.array(number, np.float32) for name, number in numbers.items()}
    before = graph_of(nodes, constants, {"x": ["batch", 40]})
    count, after = changed(fuse_hard_sigmoid, before)
    assert (count, operators(after)) == (1, ["HardSigmoid"])
    assert_same(before, after, x=4 * random(3, 40))


def test_a_slope_of_more_axes_than_the_map_is_no_prelu() -> None:
    nodes = [
        node("Relu", ["x"], ["1"]),
        node("Neg", ["x"], ["2"]),
        node("Relu", ["2"], ["3"]),
        node("Mul", ["3", "slope"], ["4"]),
        node("Add", ["1", "4"], ["y"]),
    ]
    assert changed(fuse_prelu, graph_of(nodes, {"slope": random(2, 1, 4)}, {"x": ["batch", 4]}))[0] == 0


def test_a_dense_layer_whose_axes_come_back_in_another_order_stays() -> None:
    nodes = [
        node("Reshape", ["x", "rows"], ["1"]),
        node("MatMul", ["1", "k"], ["2"]),
        node("Reshape", ["2", "back"], ["y"]),
    ]
    constants = {"rows": np.array([-1, 4]), "k": random(4, 6), "back": np.array([3, -1, 6])}
    assert changed(multiply_sequences, graph_of(nodes, constants, {"x": ["batch", 3, 4]}))[0] == 0
