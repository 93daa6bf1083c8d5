from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms.blocking import Blocking
from edgeconv.conversion.int8.forms.writing import to_blocked, to_gemm
from tests.conversion.int8.forms.networks import Network, assert_equal_integers


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


def test_maps_are_flattened_as_they_lie_in_memory() -> None:
    network = Network(12, ("batch", 20, 21, 3))
    changed = to_blocked(network.model(*flattened(network)), Blocking(cut=False))
    producers = {name: node for node in changed.graph.node for name in node.output}
    moves = [producers[node.input[0]] for node in changed.graph.node if node.op_type == "Reshape"]
    assert moves
    assert all(node.op_type == "Transpose" and list(node.attribute[0].ints) == [0, 2, 3, 1] for node in moves)


def test_the_model_that_is_rewritten_is_not_changed() -> None:
    network = Network(17, ("batch", 20, 20, 3))
    model = network.model(*residual(network))
    before = model.SerializeToString(deterministic=True)
    to_blocked(model)
    to_gemm(model)
    assert model.SerializeToString(deterministic=True) == before


def test_a_bias_off_the_scale_of_the_sums_leaves_the_convolution() -> None:
    network = Network(18, ("batch", 9, 9, 32))
    model = network.model(network.convolution(network.pixels, 16))
    assert to_gemm(model) is not model
    bias = next(node for node in model.graph.node if node.op_type == "Conv").input[2]
    scale = next(node for node in model.graph.node if node.output[0] == bias).input[1]
    for tensor in model.graph.initializer:
        if tensor.name == scale:
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * 2, scale))
    assert to_gemm(model) is model


def test_a_clip_below_the_largest_integer_leaves_the_convolution() -> None:
    network = Network(19, ("batch", 9, 9, 32))
    model = network.model(network.convolution(network.pixels, 16, activation="Clip"))
    clip = next(node for node in model.graph.node if node.op_type == "Clip")
    assert to_gemm(model) is not model
    for tensor in model.graph.initializer:
        if tensor.name == clip.input[2]:
            tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) / 2, tensor.name))
    assert to_gemm(model) is model
