"""Transposes and reshapes that meet, and go."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from edgeconv.conversion.graph.passes.pooling import pool_maps, reduce_before_transposes
from edgeconv.conversion.graph.passes.reshapes import make_reshapes_constant, merge_reshapes
from edgeconv.conversion.graph.passes.transposes import merge_transposes, move_transposes_up
from tests.conversion.graph.rewriting import assert_same, changed, constants_of, graph_of, node, operators, random

FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@pytest.mark.parametrize("second", list(permutations(range(3))))
def test_two_transposes_become_one_or_none(second: tuple[int, ...]) -> None:
    first = [1, 2, 0]
    nodes = [
        node("Transpose", ["x"], ["1"], perm=first),
        node("Transpose", ["1"], ["2"], perm=second),
        node("Relu", ["2"], ["y"]),
    ]
    before = graph_of(nodes, {}, {"x": [2, "time", 4]})
    after = changed(merge_transposes, changed(merge_transposes, before)[1])[1]
    identity = [first[axis] for axis in second] == [0, 1, 2]
    assert operators(after) == (["Relu"] if identity else ["Transpose", "Relu"])
    assert_same(before, after, x=random(2, 3, 4))


def test_transposes_move_over_what_works_element_by_element() -> None:
    """Squeeze and excite: the gate comes as (batch, 1, 1, channels), and a Clip has bounds that stay numbers."""
    nodes = [
        node("Transpose", ["x"], ["1"], perm=LAST),
        node("Reshape", ["gate", "target"], ["2"]),
        node("Mul", ["1", "2"], ["3"]),
        node("Add", ["3", "c"], ["4"]),
        node("Clip", ["4", "low", "high"], ["5"]),
        node("Transpose", ["5"], ["6"], perm=FIRST),
        node("Relu", ["6"], ["y"]),
    ]
    constants = {
        "target": np.array([-1, 1, 1, 4]),
        "c": random(4),
        "low": np.array(-1, np.float32),
        "high": np.array(1, np.float32),
    }
    before = graph_of(nodes, constants, {"x": ["batch", 4, 5, 6], "gate": ["batch", 4]})
    count, after = changed(move_transposes_up, before)
    assert count == 1
    after = changed(merge_reshapes, after)[1]
    assert operators(after) == ["Reshape", "Mul", "Add", "Clip", "Relu"]
    assert_same(before, after, x=random(2, 4, 5, 6), gate=random(2, 4))


def test_a_transpose_that_would_only_move_stays() -> None:
    nodes = [
        node("Mul", ["x", "z"], ["1"]),
        node("Transpose", ["1"], ["2"], perm=FIRST),
        node("Relu", ["2"], ["y"]),
    ]
    inputs = {"x": ["batch", 5, 6, 4], "z": ["batch", 5, 6, 4]}
    assert changed(move_transposes_up, graph_of(nodes, {}, inputs))[0] == 0


def test_reshapes_in_a_row_become_one_and_return_to_nothing() -> None:
    nodes = [
        node("Squeeze", ["x", "spatial"], ["1"]),
        node("Reshape", ["1", "target"], ["2"]),
        node("Relu", ["2"], ["y"]),
    ]
    constants = {"spatial": np.array([2, 3]), "target": np.array([-1, 6, 1, 1])}
    before = graph_of(nodes, constants, {"x": ["batch", 6, 1, 1]})
    count, after = changed(merge_reshapes, before)
    assert (count, operators(after)) == (2, ["Relu"])
    assert_same(before, after, x=random(3, 6, 1, 1))
    before = graph_of(nodes, {**constants, "target": np.array([-1, 2, 3])}, {"x": ["batch", 6, 1, 1]})
    count, after = changed(merge_reshapes, before)
    assert (count, operators(after)) == (1, ["Reshape", "Relu"])
    assert_same(before, after, x=random(3, 6, 1, 1))


def test_a_transpose_of_one_channel_is_a_reshape_and_one_of_two_dynamic_axes_stays() -> None:
    nodes = [node("Transpose", ["x"], ["1"], perm=FIRST), node("Relu", ["1"], ["y"])]
    before = graph_of(nodes, {}, {"x": ["batch", 5, 6, 1]})
    after = changed(merge_reshapes, before)[1]
    assert operators(after) == ["Reshape", "Relu"]
    assert_same(before, after, x=random(2, 5, 6, 1))
    assert (
        operators(changed(merge_reshapes, graph_of(nodes, {}, {"x": ["batch", "height", 6, 1]}))[1])[0] == "Transpose"
    )


def test_a_reshape_between_axes_of_equal_product_stays() -> None:
    """(batch, 6) and (batch, 2, 3) hold as many numbers, and so do (batch, height) and (height, batch)."""
    nodes = [node("Reshape", ["x", "target"], ["1"]), node("Relu", ["1"], ["y"])]
    before = graph_of(nodes, {"target": np.array([-1, 2, 3])}, {"x": ["batch", 6]})
    assert operators(changed(merge_reshapes, before)[1]) == ["Reshape", "Relu"]
    swap = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "turned"], ["target"]),
        node("Reshape", ["x", "target"], ["1"]),
        node("Relu", ["1"], ["y"]),
    ]
    before = graph_of(swap, {"turned": np.array([1, 0])}, {"x": ["batch", "height"]})
    assert "Reshape" in operators(changed(merge_reshapes, before)[1])
    assert changed(make_reshapes_constant, before)[0] == 0


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("opset", [17, 18])
def test_a_mean_behind_a_transpose_is_a_global_average_pool(opset: int, keepdims: int) -> None:
    axes = {"axes": [1, 2]} if opset < 18 else {}
    nodes = [
        node("Transpose", ["x"], ["1"], perm=LAST),
        node("ReduceMean", ["1", *([] if axes else ["axes"])], ["2"], keepdims=keepdims, **axes),
        node("Relu", ["2"], ["y"]),
    ]
    constants = {} if axes else {"axes": np.array([1, 2])}
    before = graph_of(nodes, constants, {"x": ["batch", 4, 5, 6]}, opset=opset)
    count, after = changed(reduce_before_transposes, before)
    assert count == 1
    assert "Transpose" not in operators(after)
    after = changed(pool_maps, after)[1]
    assert "GlobalAveragePool" in operators(after)
    assert "ReduceMean" not in operators(after)
    by_channel = np.arange(4, dtype=np.float32)[:, None, None]  # Means of noise alone are all near 0.
    for batch in (1, 3):
        assert_same(before, after, x=random(batch, 4, 5, 6) + by_channel)


def test_a_mean_over_channels_and_one_of_a_sequence_stay() -> None:
    for axes, shape in (([1], ["batch", 4, 5, 6]), ([2], ["batch", 4, 5])):
        before = graph_of([node("ReduceMean", ["x"], ["y"], axes=axes)], {}, {"x": shape})
        assert changed(pool_maps, before)[0] == 0


def test_a_reshape_to_heads_keeps_two_dynamic_axes() -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Slice", ["s", "zero", "two", "zero"], ["lead"]),
        node("Concat", ["lead", "heads"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["y"]),
    ]
    constants = {"zero": np.array([0]), "two": np.array([2]), "heads": np.array([4, 2])}
    before = graph_of(nodes, constants, {"x": ["batch", "time", 8]})
    count, after = changed(make_reshapes_constant, before)
    assert (count, operators(after)) == (1, ["Reshape"])
    assert [array.tolist() for array in constants_of(after).values()] == [[0, 0, 4, 2]]
    assert_same(before, after, x=random(2, 5, 8))


def test_the_larger_of_two_dynamic_axes_is_not_known() -> None:
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["1"]),
        node("Gather", ["s", "one"], ["2"]),
        node("Max", ["1", "2"], ["3"]),
        node("Concat", ["3", "rest"], ["target"], axis=0),
        node("Reshape", ["x", "target"], ["y"]),
    ]
    constants = {"zero": np.array([0]), "one": np.array([1]), "rest": np.array([-1, 2])}
    before = graph_of(nodes, constants, {"x": ["batch", "height", 4]})
    assert changed(make_reshapes_constant, before)[0] == 0
    constants["one"] = np.array([0])
    before = graph_of(nodes, constants, {"x": ["batch", 6, 4]})
    count, after = changed(make_reshapes_constant, before)
    assert (count, operators(after)) == (1, ["Reshape"])
    assert_same(before, after, x=random(3, 6, 4))


def test_a_reduction_whose_other_axes_were_turned_keeps_its_transpose() -> None:
    nodes = [
        node("Transpose", ["x"], ["1"], perm=[0, 3, 2, 1]),
        node("ReduceMean", ["1"], ["y"], axes=[2], keepdims=0),
    ]
    assert changed(reduce_before_transposes, graph_of(nodes, {}, {"x": ["batch", 4, 5, 6]}))[0] == 0
