"""Scales and shifts move into the layer before them, or become one Mul and one Add."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.affine import fold_affine_into_layers, merge_affine
from tests.conversion.graph.rewriting import (
    assert_same,
    changed,
    constants_of,
    graph_of,
    node,
    operators,
    positive,
    random,
)


def _norm(channels: int, axes: int) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Batch normalization as tf2onnx writes it, of `a` to `y`."""
    shape = (1, channels, *(1,) * (axes - 2)) if axes > 2 else (channels,)
    nodes = [node("Mul", ["a", "scale"], ["b"]), node("Add", ["shift", "b"], ["y"])]
    return nodes, {"scale": positive(*shape), "shift": random(*shape)}


@pytest.mark.parametrize(("groups", "kernel"), [(1, (6, 4, 3, 3)), (4, (8, 1, 3, 3)), (2, (6, 2, 1, 1))])
@pytest.mark.parametrize("bias", [True, False])
def test_a_norm_behind_a_convolution_moves_into_it(groups: int, kernel: tuple[int, ...], bias: bool) -> None:
    norm, constants = _norm(kernel[0], 4)
    inputs = ["x", "k", "c"] if bias else ["x", "k"]
    constants |= {"k": random(*kernel)} | ({"c": random(kernel[0])} if bias else {})
    before = graph_of([node("Conv", inputs, ["a"], group=groups), *norm], constants, {"x": ["batch", 4, 7, 5]})
    count, after = changed(fold_affine_into_layers, before)
    assert (count, operators(after)) == (2, ["Conv"])
    for batch in (1, 3):
        assert_same(before, after, x=random(batch, 4, 7, 5))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_norm_behind_a_transposed_convolution_moves_into_it(groups: int) -> None:
    norm, constants = _norm(6, 4)
    convolution = node("ConvTranspose", ["x", "k"], ["a"], strides=[2, 2], group=groups)
    constants["k"] = random(4, 6 // groups, 3, 3)
    before = graph_of([convolution, *norm], constants, {"x": ["batch", 4, 4, 5]})
    count, after = changed(fold_affine_into_layers, before)
    assert (count, operators(after)) == (2, ["ConvTranspose"])
    assert_same(before, after, x=random(2, 4, 4, 5))


def test_the_operator_batch_normalization_moves_too() -> None:
    constants = {"k": random(5, 3, 3, 3), "s": positive(5), "b": random(5), "m": random(5), "v": positive(5)}
    nodes = [node("Conv", ["x", "k"], ["a"]), node("BatchNormalization", ["a", "s", "b", "m", "v"], ["y"], epsilon=0.1)]
    before = graph_of(nodes, constants, {"x": ["batch", 3, 6, 6]})
    count, after = changed(fold_affine_into_layers, before)
    assert (count, operators(after)) == (1, ["Conv"])
    assert_same(before, after, x=random(2, 3, 6, 6))


@pytest.mark.parametrize("attributes", [{}, {"beta": 0.5, "alpha": 2.0}, {"transB": 1}])
@pytest.mark.parametrize("bias", [True, False])
def test_a_norm_behind_a_dense_layer_moves_into_it(attributes: dict[str, Any], bias: bool) -> None:
    norm, constants = _norm(5, 2)
    constants |= {"k": random(*((5, 4) if "transB" in attributes else (4, 5)))} | ({"c": random(5)} if bias else {})
    gemm = node("Gemm", ["x", "k", "c"] if bias else ["x", "k"], ["a"], **attributes)
    before = graph_of([gemm, *norm], constants, {"x": ["batch", 4]})
    count, after = changed(fold_affine_into_layers, before)
    assert (count, operators(after)) == (2, ["Gemm"])
    assert_same(before, after, x=random(3, 4))


def test_a_product_of_sequences_keeps_one_add() -> None:
    norm, constants = _norm(5, 2)
    nodes = [node("MatMul", ["x", "k"], ["p"]), node("Add", ["p", "c"], ["a"]), *norm]
    before = graph_of(nodes, {**constants, "k": random(4, 5), "c": random(5)}, {"x": ["batch", "time", 4]})
    count, after = changed(fold_affine_into_layers, before)
    assert (count, operators(after)) == (2, ["MatMul", "Add"])
    assert_same(before, after, x=random(2, 7, 4))
    assert changed(fold_affine_into_layers, after)[0] == 0


def test_a_shared_map_and_a_scale_over_pixels_stay() -> None:
    norm, constants = _norm(6, 4)
    shared = [node("Conv", ["x", "k"], ["a"]), *norm[:1], node("Add", ["b", "a"], ["y"])]
    constants["k"] = random(6, 4, 3, 3)
    assert changed(fold_affine_into_layers, graph_of(shared, constants, {"x": ["batch", 4, 7, 5]}))[0] == 0
    constants |= {"scale": positive(1, 1, 5, 3)}
    before = graph_of([shared[0], *norm], constants, {"x": ["batch", 4, 7, 5]})
    assert changed(fold_affine_into_layers, before)[0] == 0


def test_a_chain_becomes_one_mul_and_one_add() -> None:
    nodes = [
        node("Mul", ["x", "a"], ["1"]),
        node("Sub", ["1", "b"], ["2"]),
        node("Div", ["2", "c"], ["3"]),
        node("Sub", ["d", "3"], ["4"]),
        node("Relu", ["4"], ["y"]),
    ]
    constants = {"a": positive(), "b": random(3), "c": positive(1, 1, 1, 3), "d": random(3)}
    before = graph_of(nodes, constants, {"x": ["batch", 4, 5, 3]})
    count, after = changed(merge_affine, before)
    assert (count, operators(after)) == (2, ["Mul", "Add", "Relu"])
    assert_same(before, after, x=random(2, 4, 5, 3))


def test_what_changes_nothing_goes_and_what_spreads_stays() -> None:
    nodes = [node("Mul", ["x", "one"], ["1"]), node("Add", ["1", "zero"], ["2"]), node("Relu", ["2"], ["y"])]
    constants = {"one": np.ones((), np.float32), "zero": np.zeros(3, np.float32)}
    before = graph_of(nodes, constants, {"x": ["batch", 3]})
    count, after = changed(merge_affine, before)
    assert (count, operators(after)) == (2, ["Relu"])
    assert_same(before, after, x=random(2, 3))
    assert changed(merge_affine, graph_of(nodes, constants, {"x": ["batch", 1]}))[1].graph.node[0].op_type == "Add"


def test_numbers_that_are_no_floats_stay() -> None:
    nodes = [node("Mul", ["x", "a"], ["1"]), node("Mul", ["1", "a"], ["y"])]
    before = graph_of(nodes, {"a": np.array(2, np.int32)}, {"x": ["batch"]}, input_type=6)
    assert changed(merge_affine, before)[0] == 0


def test_a_model_that_does_nothing_keeps_its_node() -> None:
    before = graph_of([node("Mul", ["x", "one"], ["y"])], {"one": np.ones((), np.float32)}, {"x": ["batch", 3]})
    count, after = changed(merge_affine, before)
    assert (count, operators(after)) == (0, ["Mul"])
    assert set(constants_of(after)) == {"one"}
