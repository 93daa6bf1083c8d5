"""Means of channels that int8 shifts come back, layer by layer, over any number of batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.search.bias_correction import find_shifts, with_biases, with_shifts
from edgeconv.conversion.int8.search.channels import measure_channels
from tests.conversion.graph.rewriting import answers, constants_of, graph_of, node, random
from tests.conversion.randomness import RNG

INPUT = {"x": ["batch", 3, 6, 6]}


def _float(opset: int = 17, *, bias: bool = True, outputs: tuple[str, ...] = ("y",)) -> Any:
    """Return Conv -> Relu -> Conv (depthwise) -> Flatten -> Gemm."""
    names = [["c1"], ["c2"], ["c3"]] if bias else [[], [], []]
    nodes = [
        node("Conv", ["x", "k1", *names[0]], ["a"], "one/Conv"),
        node("Relu", ["a"], ["b"], "one/Relu"),
        node("Conv", ["b", "k2", *names[1]], ["d"], "two/Conv", group=4),
        node("Flatten", ["d"], ["e"], "two/Flatten"),
        node("Gemm", ["e", "k3", *names[2]], ["y"], "three/Gemm"),
    ]
    constants = {"k1": random(4, 3, 3, 3), "k2": random(4, 1, 3, 3), "k3": random(16, 5)}
    if bias:
        constants |= {"c1": random(4), "c2": random(4), "c3": random(5)}
    return graph_of(nodes, constants, INPUT, outputs, opset=opset)


def _coarse(fp32: Any, *, steps: float = 0.5) -> Any:
    """Return a model with weights in coarse int8 steps, and biases in int32: what is to be made up for."""
    arrays = constants_of(fp32)
    nodes, constants = [], {"fine": np.float32(1e-4)}
    for item in fp32.graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(item)
        if item.op_type in {"Conv", "Gemm"}:
            kernel, bias = item.input[1], item.input[2]
            constants[f"{kernel}q"] = np.rint(arrays[kernel] / steps).astype(np.int8)
            constants[f"{bias}q"] = np.rint(arrays[bias] / 1e-4).astype(np.int32)
            # ONNX Runtime cannot recode two layers' weights for processors without VNNI where they share a zero point.
            constants |= {f"{kernel}step": np.float32(steps), f"{kernel}zero": np.int8(0)}
            nodes.append(node("DequantizeLinear", [f"{kernel}q", f"{kernel}step", f"{kernel}zero"], [kernel]))
            nodes.append(node("DequantizeLinear", [f"{bias}q", "fine"], [bias]))
        nodes.append(copy)
    return graph_of(nodes, constants, INPUT)


def _batches(*sizes: int) -> list[dict[str, np.ndarray]]:
    return [{"x": RNG.normal(0.3, 1, (size, 3, 6, 6)).astype(np.float32)} for size in sizes]


@pytest.mark.parametrize("opset", [13, 17, 18])
def test_channels_are_measured_over_all_batches(opset: int) -> None:
    fp32 = _float(opset, outputs=("a", "b", "y"))
    batches = _batches(5, 2, 3)
    found = measure_channels(fp32, ["three/Gemm", "one/Conv"], batches, "mean")
    first, activated, last = answers(fp32, {"x": np.concatenate([batch["x"] for batch in batches])})
    np.testing.assert_allclose(found["one/Conv"], first.mean(axis=(0, 2, 3)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["three/Gemm"], last.mean(axis=0), rtol=1e-4, atol=1e-4)
    largest = measure_channels(fp32, ["one/Conv"], batches, "largest")
    np.testing.assert_allclose(largest["one/Conv"], activated.max(axis=(0, 2, 3)), rtol=1e-5)


def test_what_is_not_asked_for_is_not_computed() -> None:
    fp32 = _float()
    fp32.graph.node[-1].op_type = "NobodyKnowsThisOperator"
    assert measure_channels(fp32, ["one/Conv"], _batches(1), "mean")["one/Conv"].shape == (4,)


def test_a_network_without_layers_of_channels_has_none_to_measure() -> None:
    """As one whose layers are all recurrent."""
    assert measure_channels(_float(), [], _batches(1), "largest") == {}


def test_the_means_come_back() -> None:
    fp32 = _float()
    int8 = _coarse(fp32)
    kept = int8.SerializeToString()
    batches = _batches(20, 20, 7)
    names = ["one/Conv", "two/Conv", "three/Gemm"]
    shifts = find_shifts(fp32, int8, lambda: batches)
    assert list(shifts) == names
    assert int8.SerializeToString() == kept, "the model that was given must stay as it is"
    wanted = measure_channels(fp32, names, batches, "mean")
    before = measure_channels(int8, names, batches, "mean")
    after = measure_channels(_coarse(with_shifts(fp32, shifts)), names, batches, "mean")
    for name in names:
        spoilt = np.abs(before[name] - wanted[name]).max()
        assert spoilt > 0.05, "nothing to make up for proves nothing"
        assert np.abs(after[name] - wanted[name]).max() < 0.01 * spoilt + 1e-3


def test_later_layers_are_measured_behind_corrected_ones() -> None:
    fp32 = _float()
    batches = _batches(30)
    int8 = _coarse(fp32, steps=0.03)
    alone = find_shifts(fp32, int8, lambda: batches)
    arrays = constants_of(int8)
    spoilt = next(tensor for tensor in int8.graph.initializer if tensor.name == "c1q")
    spoilt.CopyFrom(onnx.numpy_helper.from_array(arrays["c1q"] + 5000, "c1q"))
    shifts = find_shifts(fp32, int8, lambda: batches)
    # The first layer's bias is off by another half, and once that is corrected nothing of it reaches the next.
    np.testing.assert_allclose(shifts["one/Conv"] - alone["one/Conv"], -0.5, atol=1e-3)
    np.testing.assert_allclose(shifts["two/Conv"], alone["two/Conv"], atol=1e-3)


def test_a_model_in_float_is_left_alone() -> None:
    fp32 = _float()
    assert find_shifts(fp32, fp32, lambda: _batches(2)) == {}


def test_a_float_layer_makes_up_for_what_comes_through_it() -> None:
    fp32 = _float()
    int8 = _coarse(fp32)
    arrays = constants_of(fp32)
    int8.graph.initializer.extend(onnx.numpy_helper.from_array(arrays[name], f"{name}f") for name in ("k2", "c2"))
    layer = next(item for item in int8.graph.node if item.name == "two/Conv")
    layer.input[1:] = ["k2f", "c2f"]
    kept = [item for item in int8.graph.node if item.output[0] not in {"k2", "c2"}]
    del int8.graph.node[:]
    int8.graph.node.extend(kept)
    batches = _batches(20, 20)
    shifts = find_shifts(fp32, int8, lambda: batches)
    wanted = measure_channels(fp32, ["two/Conv"], batches, "mean")["two/Conv"]
    uncorrected = {name: shift for name, shift in shifts.items() if name == "one/Conv"}
    coarse = _coarse(with_shifts(fp32, uncorrected))
    received = measure_channels(coarse, ["two/Conv"], batches, "mean")["two/Conv"]
    assert np.abs(received - wanted).max() > 0.05
    assert np.abs(shifts["two/Conv"]).max() > 0.01


def test_a_float_bias_in_an_int8_layer_is_shifted_too() -> None:
    fp32 = _float()
    int8 = _coarse(fp32)
    kept = [item for item in int8.graph.node if item.output[0] not in {"c1", "c2", "c3"}]
    del int8.graph.node[:]
    int8.graph.node.extend(kept)
    biases = {name: array for name, array in constants_of(fp32).items() if name.startswith("c")}
    int8.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in biases.items())
    batches = _batches(20)
    shifts = find_shifts(fp32, int8, lambda: batches)
    expected = find_shifts(fp32, _coarse(fp32), lambda: batches)
    for name in expected:
        np.testing.assert_allclose(shifts[name], expected[name], atol=2e-3)


def test_layers_without_a_bias_get_one_that_changes_nothing() -> None:
    fp32 = _float(bias=False)
    biased = with_biases(fp32)
    assert [len(item.input) for item in biased.graph.node if item.op_type in {"Conv", "Gemm"}] == [3, 3, 3]
    images = _batches(3)[0]
    np.testing.assert_array_equal(answers(biased, images)[0], answers(fp32, images)[0])
    shifts = find_shifts(biased, _coarse(biased), lambda: _batches(4))
    shifted = with_shifts(fp32, shifts)
    onnx.checker.check_model(shifted, full_check=True)
    assert [item.name for item in shifted.graph.node] == [item.name for item in fp32.graph.node]


def test_a_bias_of_two_layers_becomes_two() -> None:
    fp32 = graph_of(
        [node("Conv", ["x", "k", "c"], ["a"], "one/Conv"), node("Conv", ["a", "k", "c"], ["y"], "two/Conv")],
        {"k": random(3, 3, 3, 3), "c": random(3)},
        INPUT,
    )
    shifted = with_shifts(fp32, {"two/Conv": np.ones(3)})
    arrays = constants_of(shifted)
    one, two = (arrays[item.input[2]] for item in shifted.graph.node)
    np.testing.assert_allclose(two - one, 1, rtol=1e-5)


def test_layers_with_one_bias_between_them_get_one_each() -> None:
    constants = {"k1": random(3, 3, 3, 3), "k2": random(3, 3, 3, 3), "c": random(3)}
    fp32 = graph_of(
        [node("Conv", ["x", "k1", "c"], ["a"], "one/Conv"), node("Conv", ["a", "k2", "c"], ["y"], "two/Conv")],
        constants,
        INPUT,
    )
    biased = with_biases(fp32)
    one, two = (item.input[2] for item in biased.graph.node)
    assert one != two
    images = _batches(3)[0]
    np.testing.assert_array_equal(answers(biased, images)[0], answers(fp32, images)[0])
