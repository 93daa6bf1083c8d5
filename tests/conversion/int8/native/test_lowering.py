from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.native.blocking import Blocking
from edgeconv.conversion.int8.native.writing import to_blocked, to_native
from edgeconv.runtime.processor import int8_overflows
from tests.conversion.int8.native.networks import Network, answers, assert_equal_integers, operators


def residual(network: Network) -> list[str]:
    """A stem, a residual block, a projection, the mean of the maps, and a dense layer."""
    stem = network.convolution(network.pixels, 16, (3, 3), (2, 2), (1, 1, 1, 1), activation="Relu")
    maps = network.convolution(stem, 16, pads=(1, 1, 1, 1), activation="Relu")
    maps = network.join("Add", [stem, network.convolution(maps, 16, pads=(1, 1, 1, 1))])
    down = network.convolution(maps, 32, (1, 1), (2, 2))
    maps = network.join("Add", [network.convolution(maps, 32, strides=(2, 2), pads=(1, 1, 1, 1)), down])
    pooled = network.flatten(network.pool("GlobalAveragePool", maps), 32)
    return [network.dense(pooled, 10)]


def depthwise(network: Network) -> list[str]:
    """Inverted bottlenecks with ReLU6, as MobileNetV2 has them, with 24 channels, which are no multiple of 16."""
    maps = network.convolution(network.pixels, 16, (3, 3), (2, 2), (0, 0, 1, 1), activation="Clip")
    for outputs in (24, 32):
        wide = network.convolution(maps, 2 * outputs, (1, 1), activation="Clip")
        wide = network.convolution(wide, 2 * outputs, pads=(1, 1, 1, 1), groups=2 * outputs, activation="Clip")
        maps = network.convolution(wide, outputs, (1, 1))
    return [network.dense(network.flatten(network.pool("GlobalAveragePool", maps), 32, operator="Flatten"), 10)]


def branches(network: Network) -> list[str]:
    """Branches of different kinds, put side by side along their channels."""
    stem = network.convolution(network.pixels, 8, activation="Relu")
    parts = [
        network.convolution(stem, 8, (1, 1)),
        network.convolution(stem, 16, pads=(1, 1, 1, 1), groups=2),
        network.max_pool(stem, (3, 3), strides=(1, 1), pads=(1, 1, 1, 1)),
        network.pool("AveragePool", stem, kernel_shape=(3, 3), strides=(1, 1), pads=(1, 1, 1, 1)),
    ]
    maps = network.join("Concat", parts, axis=1)
    return [network.join("Mul", [maps, maps]), network.pool("AveragePool", maps, kernel_shape=(2, 2), strides=(2, 2))]


def flattened(network: Network) -> list[str]:
    """Maps flattened before dense layers of both orders of weights, as floats and as integers."""
    maps = network.convolution(network.pixels, 8, strides=(3, 3), activation="Relu")
    length = 8 * ((network.shape[1] - 3) // 3 + 1) * ((network.shape[2] - 3) // 3 + 1)
    one = network.dense(network.flatten(maps, length), 16)
    other = network.dense(network.flatten(maps, length, integers=True), 16, transposed=True)
    return [network.join("Add", [one, other])]


NETWORKS = [residual, depthwise, branches, flattened]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("network_of", NETWORKS)
def test_networks_keep_every_integer(network_of: Callable[[Network], list[str]], dtype: type) -> None:
    network = Network(11, ("batch", 20, 21, 3), dtype=dtype)
    model = network.model(*network_of(network))
    assert_equal_integers(model, to_blocked(model), network.images(3))
    assert_equal_integers(model, to_native(model), network.images(3))


@pytest.mark.parametrize("network_of", NETWORKS)
def test_no_transpose_and_no_operator_in_float_is_left(network_of: Callable[[Network], list[str]]) -> None:
    network = Network(12, ("batch", 20, 20, 3))
    native = to_native(network.model(*network_of(network)), Blocking(cut=False))
    own = {node.op_type for node in native.graph.node if node.domain == "com.microsoft"}
    left = {node.op_type for node in native.graph.node if node.domain == ""}
    # What `branches` answers is a map, whose channels are first for its reader.
    assert left <= {"Reshape", "Flatten", "DequantizeLinear"} | ({"Transpose"} if network_of is branches else set())
    assert "QLinearConv" in own


def test_int8_activations_stay_in_standard_operators() -> None:
    network = Network(20, ("batch", 20, 20, 3), dtype=np.int8)
    assert {node.domain for node in to_native(network.model(*residual(network))).graph.node} == {""}


def test_a_dense_layer_that_answers_floats_is_one_node() -> None:
    network = Network(13, ("batch", 8, 8, 1))
    maps = network.convolution(network.pixels, 8, strides=(2, 2), activation="Relu")
    logits = network.dense(network.flatten(maps, 72), 10, quantized=False)
    model = network.model(network.node("Softmax", [logits]), read=False)
    native = to_native(model, Blocking(cut=False))
    assert operators(native) == ["QLinearConv", "Reshape", "QGemm", "Softmax"]
    assert len(native.graph.node) == 4
    assert_equal_integers(model, native, network.images())


def test_what_has_no_integer_operator_stays_in_float_in_the_midst() -> None:
    network = Network(14, ("batch", 12, 12, 1))
    maps = network.convolution(network.pixels, 8, activation="Relu")
    power = network.node("Pow", [network.read(maps), network.constant(np.float32(0.5))])
    maps = network.write(power, network.scale(0.5, 3), 8)
    model = network.model(network.convolution(maps, 8, (1, 1)))
    native = to_native(model, Blocking(cut=False))
    assert operators(native) == ["QLinearConv", "Transpose", "Pow", "Transpose", "QLinearConv", "Transpose"]
    assert_equal_integers(model, native, network.images())


def test_weights_moved_up_do_not_overflow_and_signed_ones_do() -> None:
    network = Network(15, ("batch", 9, 9, 16))
    maps = network.convolution(network.pixels, 16)
    network.constants["constant2"] = np.full_like(network.constants["constant2"], 127)
    network.constants[network.scales[maps][0]] = np.float32(200)  # 16 * 9 * 255 * 127 * 0.01 / 200: within 255.
    model, feeds = network.model(maps), {"image": np.full((1, 9, 9, 16), 255, np.uint8)}
    right = answers(model, feeds)[0]
    np.testing.assert_array_equal(answers(to_native(model), feeds)[0], right)
    signed = answers(to_native(model, unsigned_weights=False), feeds)[0]
    assert np.array_equal(signed, right) is not int8_overflows()


@pytest.mark.parametrize(("channels", "kernel"), [(16, 3), (24, 3), (48, 5)])
def test_depthwise_weights_stay_signed_and_right_where_pairs_would_overflow(channels: int, kernel: int) -> None:
    network = Network(21, ("batch", 9, 9, channels))
    maps = network.convolution(network.pixels, channels, (kernel, kernel), pads=(1, 1, 1, 1), groups=channels)
    signs = np.where(network.random.random((channels, 1, kernel, kernel)) < 0.8, 127, -127)
    network.constants["constant2"] = signs.astype(np.int8)
    network.constants[network.scales[maps][0]] = np.float32(2.5 * kernel**2)
    model, pixels = network.model(maps), np.where(network.random.random((1, 9, 9, channels)) < 0.8, 255, 0)
    native = to_native(model)
    assert {t.data_type for t in native.graph.initializer if len(t.dims) == 4} == {onnx.TensorProto.INT8}
    assert_equal_integers(model, native, {"image": pixels.astype(np.uint8)})


def test_weights_of_seven_bits_stay_signed_and_right() -> None:
    network = Network(16, ("batch", 9, 9, 4))
    model = network.model(network.convolution(network.pixels, 16, bits=7))
    native = to_native(model)
    assert {t.data_type for t in native.graph.initializer if len(t.dims) == 4} == {onnx.TensorProto.INT8}
    assert_equal_integers(model, native, network.images())


def test_the_model_that_is_rewritten_is_not_changed() -> None:
    network = Network(17, ("batch", 20, 20, 3))
    model = network.model(*residual(network))
    before = model.SerializeToString(deterministic=True)
    to_native(model)
    to_blocked(model)
    assert model.SerializeToString(deterministic=True) == before


def test_a_bias_off_the_scale_of_the_sums_leaves_the_convolution() -> None:
    network = Network(18, ("batch", 9, 9, 1))
    model = network.model(network.convolution(network.pixels, 16))
    bias = next(node for node in model.graph.node if node.op_type == "Conv").input[2]
    scale = next(node for node in model.graph.node if node.output[0] == bias).input[1]
    for tensor in model.graph.initializer:
        if tensor.name == scale:
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * 2, scale))
    assert "Conv" in operators(to_native(model))


def test_a_clip_below_the_largest_integer_leaves_the_convolution() -> None:
    network = Network(19, ("batch", 9, 9, 1))
    model = network.model(network.convolution(network.pixels, 16, activation="Clip"))
    clip = next(node for node in model.graph.node if node.op_type == "Clip")
    assert "QLinearConv" in operators(to_native(model))
    for tensor in model.graph.initializer:
        if tensor.name == clip.input[2]:
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) / 2, tensor.name))
    assert "Conv" in operators(to_native(model))
