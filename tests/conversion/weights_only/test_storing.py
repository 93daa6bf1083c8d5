"""Weights in 8 and 4 bits: the size, the answers, and the standard operators that make floats of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.conversion.weights_only.rounding import rounded
from edgeconv.conversion.weights_only.storing import nearest, with_steps
from tests.conversion.graph.rewriting import answers, constants_of, graph_of, node, operators, random

SHAPES = {
    "k1": (32, 3, 3, 3),
    "k2": (32, 1, 3, 3),
    "k3": (40, 16, 3, 3),
    "k4": (40, 20, 2, 2),
    "k5": (80, 33),
    "k6": (33, 50),
    "k7": (50, 50),
}


def _net() -> Any:
    """Return Conv -> depthwise Conv -> grouped Conv -> ConvTranspose -> MatMul -> Gemm -> Gemm (transB)."""
    nodes = [
        node("Conv", ["image", "k1", "c1"], ["a"], "one/Conv"),
        node("Conv", ["a", "k2"], ["b"], "two/Conv", group=32),
        node("Relu", ["b"], ["r"], "two/Relu"),
        node("Conv", ["r", "k3"], ["d"], "three/Conv", group=2),
        node("ConvTranspose", ["d", "k4"], ["e"], "four/ConvTranspose", strides=[2, 2]),
        node("Flatten", ["e"], ["f"], "five/Flatten"),
        node("MatMul", ["f", "k5"], ["g"], "five/MatMul"),
        node("Gemm", ["g", "k6"], ["h"], "six/Gemm"),
        node("Gemm", ["h", "k7"], ["y"], "seven/Gemm", transB=1),
    ]
    constants = {name: random(*shape) / np.float32(np.sqrt(np.prod(shape[1:]))) for name, shape in SHAPES.items()}
    return graph_of(nodes, constants | {"c1": random(32)}, {"image": ["batch", 3, 7, 7]}, opset=21)


def _images(count: int = 4) -> np.ndarray:
    return random(count, 3, 7, 7)


def _share(model: Any, expected: np.ndarray, images: np.ndarray) -> float:
    """Return the root of the mean square of the error over the spread."""
    (found,) = answers(model, {"image": images})
    return float(np.sqrt(((found - expected) ** 2).mean()) / expected.std())


@pytest.mark.parametrize(("bits", "size", "error"), [(8, 0.32, 0.02), (4, 0.25, 0.25)])
def test_the_file_is_smaller_and_answers_nearly_alike(bits: int, size: float, error: float) -> None:
    fp32, images = _net(), _images()
    fp32.ir_version = 10
    (expected,) = answers(fp32, {"image": images})
    stored = [nearest(each, bits) for each in weights_in(fp32)]
    assert [each.weights.name for each in stored] == list(SHAPES)
    four = {each.weights.name for each in stored if each.bits == 4}
    assert four == (set() if bits == 8 else {"k3", "k5", "k6", "k7"}), "short rows and ConvTranspose have 8 bits"
    model = with_steps(fp32, stored)
    onnx.checker.check_model(model, full_check=True)
    assert model.ByteSize() < size * fp32.ByteSize()
    assert 0 < _share(model, expected, images) < error
    for each in stored:
        span = np.abs(each.weights.array).max() / (127 if each.bits == 8 else 7)
        assert np.abs(each.values - each.weights.array).max() < 0.51 * span


def test_the_file_holds_the_values_that_were_judged() -> None:
    fp32, images = _net(), _images()
    fp32.ir_version = 10
    stored = [nearest(each, 4) for each in weights_in(fp32)]
    twin = onnx.ModelProto()
    twin.CopyFrom(fp32)
    for tensor in twin.graph.initializer:
        for each in stored:
            if each.weights.name == tensor.name:
                tensor.CopyFrom(onnx.numpy_helper.from_array(each.values, tensor.name))
    (expected,), (found,) = (answers(model, {"image": images}) for model in (twin, with_steps(fp32, stored)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_eight_bits_need_no_newer_opset_and_names_stay() -> None:
    fp32 = _net()
    fp32.opset_import[0].version = 13
    model = with_steps(fp32, [nearest(each, 8) for each in weights_in(fp32)])
    onnx.checker.check_model(model, full_check=True)
    assert operators(model) == ["DequantizeLinear"] * 7 + operators(fp32)
    assert [item.name for item in model.graph.node[7:]] == [item.name for item in fp32.graph.node]
    assert model.graph.node[0].name == "one/DequantizeLinear"
    assert not {"k1", "k7"} & constants_of(model).keys()


def test_eight_bits_have_a_zero_point_for_each_scale() -> None:
    """Without, ONNX Runtime makes up a single one where it recodes weights for processors without VNNI, and fails."""
    fp32 = _net()
    model = with_steps(fp32, [nearest(each, 8) for each in weights_in(fp32)])
    arrays = constants_of(model)
    found = [item for item in model.graph.node if item.op_type == "DequantizeLinear"]
    assert len(found) == len(SHAPES)
    for item in found:
        _, scale, zero = item.input
        assert (arrays[zero].shape, arrays[zero].dtype) == (arrays[scale].shape, np.dtype(np.int8))
    assert len({item.input[2] for item in found}) == len(found), "recoded, each is another"


def test_tables_and_recurrent_weights_are_found_and_vectors_left() -> None:
    nodes = [
        node("Gather", ["table", "words"], ["a"], "embedding/Gather"),
        node("LSTM", ["a", "w", "r", "b"], ["y"], "lstm/LSTM", hidden_size=8),
    ]
    constants = {"table": random(40, 8), "w": random(1, 32, 8), "r": random(1, 32, 8), "b": random(1, 64)}
    fp32 = graph_of(nodes, constants, {"words": [5, "batch"]}, input_type=onnx.TensorProto.INT64)
    stored = [nearest(each, 4) for each in weights_in(fp32)]
    assert [(each.weights.name, each.bits, each.scale.shape) for each in stored] == [
        ("table", 8, (40,)),
        ("w", 8, (32,)),
        ("r", 8, (32,)),
    ]
    feeds = {"words": np.arange(20).reshape(5, 4)}
    (expected,), (found,) = (answers(model, feeds) for model in (fp32, with_steps(fp32, stored)))
    assert 0 < np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_a_constant_that_is_also_something_else_is_left_alone() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["a"], "one/MatMul"),
        node("Add", ["a", "w"], ["y"], "two/Add"),
    ]
    assert weights_in(graph_of(nodes, {"w": random(20, 20)}, {"x": [20, 20]})) == ()


def test_rounding_by_what_comes_out_beats_the_nearest_steps() -> None:
    fp32, shared = _net(), random(300, 1, 7, 7)
    fp32.ir_version = 10
    images = shared + 0.3 * _images(300)
    unseen = images[200:]
    (expected,) = answers(fp32, {"image": unseen})
    batches = [{"image": images[at : at + 50]} for at in range(0, 200, 50)]
    weights = weights_in(fp32)
    better = with_steps(fp32, rounded(fp32, weights, lambda: batches))
    plain = with_steps(fp32, [nearest(each, 4) for each in weights])
    assert _share(better, expected, unseen) < 0.8 * _share(plain, expected, unseen)
    (kept,) = (each for each in rounded(fp32, weights, lambda: batches, in_8_bits=["k5"]) if each.weights.name == "k5")
    assert kept.bits == 8
