"""The scaling of what a layer reads moves into the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.graph.passes.scaling import fold_scaling
from tests.conversion.graph.rewriting import (
    RNG,
    assert_same,
    changed,
    constants_of,
    graph_of,
    node,
    operators,
    positive,
    random,
)


def _pixels(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def _scaled(layer: list[Any], constants: dict[str, np.ndarray], offset: float) -> Any:
    nodes = [
        node("Cast", ["x"], ["float"], to=onnx.TensorProto.FLOAT),
        node("Mul", ["float", "scale"], ["scaled"]),
        node("Add", ["scaled", "offset"], ["shifted"]),
        *layer,
    ]
    scalars = {"scale": np.array(1 / 127.5, np.float32), "offset": np.array(offset, np.float32)}
    return graph_of(nodes, {**scalars, **constants}, {"x": ["batch", 1, 6, 6]}, input_type=onnx.TensorProto.UINT8)


@pytest.mark.parametrize("offset", [0.0, -1.0])
@pytest.mark.parametrize("bias", [True, False])
def test_scaling_folds_into_a_convolution(offset: float, bias: bool) -> None:
    inputs = ["shifted", "kernel", "bias"] if bias else ["shifted", "kernel"]
    constants = {"kernel": random(3, 1, 3, 3)} | ({"bias": random(3)} if bias else {})
    before = _scaled([node("Conv", inputs, ["y"])], constants, offset)
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (2, ["Cast", "Conv"])
    assert_same(before, after, x=_pixels(2, 1, 6, 6))


def test_scaling_folds_into_a_dense_layer_through_a_reshape() -> None:
    layer = [node("Reshape", ["shifted", "target"], ["flat"]), node("Gemm", ["flat", "kernel", "bias"], ["y"])]
    constants = {"target": np.array([-1, 36]), "kernel": random(36, 4), "bias": random(4)}
    before = _scaled(layer, constants, -1.0)
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (2, ["Cast", "Reshape", "Gemm"])
    assert_same(before, after, x=_pixels(2, 1, 6, 6))


@pytest.mark.parametrize("padding", [{"pads": [1, 1, 1, 1]}, {"auto_pad": "SAME_UPPER"}])
def test_an_offset_before_padding_stays_and_the_scale_folds(padding: dict[str, Any]) -> None:
    before = _scaled([node("Conv", ["shifted", "kernel"], ["y"], **padding)], {"kernel": random(3, 1, 3, 3)}, -1.0)
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (1, ["Cast", "Add", "Conv"])
    (offset,) = [array for array in constants_of(after).values() if array.size == 1]
    assert offset == pytest.approx(-127.5)
    assert offset.shape == (1, 1, 1, 1)
    assert_same(before, after, x=_pixels(2, 1, 6, 6))
    assert changed(fold_scaling, after)[0] == 0


def test_scaling_by_pixel_stays() -> None:
    before = _scaled([node("Conv", ["shifted", "kernel"], ["y"])], {"kernel": random(3, 1, 3, 3)}, 0.0)
    before.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(random(1, 1, 6, 1), "scale"))
    assert changed(fold_scaling, before)[0] == 0


@pytest.mark.parametrize("groups", [1, 2])
def test_scaling_by_channel_folds_through_a_transpose(groups: int) -> None:
    nodes = [
        node("Mul", ["x", "scale"], ["1"]),
        node("Add", ["1", "offset"], ["2"]),
        node("Transpose", ["2"], ["3"], perm=[0, 3, 1, 2]),
        node("Conv", ["3", "kernel"], ["y"], group=groups),
    ]
    constants = {"scale": positive(4), "offset": random(1, 1, 1, 4), "kernel": random(6, 4 // groups, 3, 3)}
    before = graph_of(nodes, constants, {"x": ["batch", 5, 6, 4]})
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (2, ["Transpose", "Conv"])
    assert_same(before, after, x=random(2, 5, 6, 4))


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_norm_before_a_dense_layer_folds(transposed: int) -> None:
    nodes = [
        node("Mul", ["x", "scale"], ["1"]),
        node("Add", ["1", "offset"], ["2"]),
        node("Gemm", ["2", "kernel"], ["y"], transB=transposed),
    ]
    kernel = random(3, 4) if transposed else random(4, 3)
    before = graph_of(nodes, {"scale": positive(4), "offset": random(4), "kernel": kernel}, {"x": ["batch", 4]})
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (2, ["Gemm"])
    assert_same(before, after, x=random(3, 4))


def test_scaling_that_spreads_one_channel_over_many_stays() -> None:
    nodes = [node("Mul", ["x", "scale"], ["1"]), node("Gemm", ["1", "kernel"], ["y"])]
    before = graph_of(nodes, {"scale": positive(4), "kernel": random(4, 3)}, {"x": ["batch", 1]})
    assert changed(fold_scaling, before)[0] == 0


def test_scaling_that_others_read_stays_and_each_of_two_inputs_folds() -> None:
    nodes = [
        node("Mul", ["x", "scale"], ["1"]),
        node("Gemm", ["1", "kernel"], ["a"]),
        node("Mul", ["z", "scale"], ["2"]),
        node("Gemm", ["2", "kernel"], ["b"]),
    ]
    constants = {"scale": positive(), "kernel": random(4, 3)}
    inputs = {"x": ["batch", 4], "z": ["batch", 4]}
    before = graph_of(nodes, constants, inputs, ["a", "b"])
    count, after = changed(fold_scaling, before)
    assert (count, operators(after)) == (2, ["Gemm", "Gemm"])
    assert_same(before, after, x=random(3, 4), z=random(3, 4))
    assert changed(fold_scaling, graph_of(nodes, constants, inputs, ["a", "b", "1"]))[0] == 1


def test_what_normalizes_rows_keeps_its_scale() -> None:
    nodes = [
        node("Div", ["x", "z"], ["1"]),
        node("Mul", ["1", "scale"], ["2"]),
        node("Gemm", ["2", "kernel"], ["y"]),
    ]
    constants = {"scale": positive(4), "kernel": random(4, 3)}
    assert changed(fold_scaling, graph_of(nodes, constants, {"x": ["batch", 4], "z": ["batch", 1]}))[0] == 0
