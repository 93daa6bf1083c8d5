from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms.candidates import gemm_candidates
from edgeconv.conversion.int8.forms.writing import to_blocked, to_gemm
from tests.conversion.int8.forms.networks import Network, assert_equal_integers


def zero_points(model: onnx.ModelProto) -> list[int]:
    """Return the zero point of the weights of each convolution."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    producers = {node.output[0]: node for node in model.graph.node}
    kernels = [producers[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]
    return [int(np.unique(constants[kernel.input[2]]).item()) for kernel in kernels]


def deep(seed: int, *, pads: tuple[int, int, int, int] = (1, 1, 1, 1), strides: tuple[int, int] = (1, 1)) -> Network:
    """A small convolution, a large one, and one of groups."""
    network = Network(seed, ("batch", 12, 12, 3))
    maps = network.convolution(network.pixels, 64, activation="Relu")
    maps = network.convolution(maps, 32, pads=pads, strides=strides, activation="Clip")
    network.last = network.convolution(maps, 32, groups=32)
    return network


@pytest.mark.parametrize("seed", range(6))
def test_moved_weights_keep_every_integer(seed: int) -> None:
    random = np.random.default_rng([seed, 5])
    pads, strides = tuple(random.integers(0, 3, 4).tolist()), tuple(random.integers(1, 3, 2).tolist())
    network = deep(seed, pads=pads, strides=strides)
    model = network.model(network.last)
    changed = to_gemm(model)
    assert zero_points(model) == [0, 0, 0]
    assert zero_points(changed) == [0, -1, 0]
    assert_equal_integers(model, changed, network.images())
    assert_equal_integers(model, to_blocked(changed), network.images())


def test_a_weight_that_cannot_go_lower_stays() -> None:
    network = deep(7)
    model = network.model(network.last)
    kernel = next(tensor for tensor in model.graph.initializer if list(tensor.dims[:2]) == [32, 64])
    integers = onnx.numpy_helper.to_array(kernel).copy()
    integers[0, 0, 0, 0] = -128
    kernel.CopyFrom(onnx.numpy_helper.from_array(integers, kernel.name))
    assert zero_points(to_gemm(model)) == [0, 0, 0]


def test_a_network_without_large_convolutions_has_no_such_form() -> None:
    network = Network(8, ("batch", 12, 12, 3))
    model = network.model(network.convolution(network.pixels, 64))
    assert gemm_candidates("qdq", model) == {}
    large = deep(9)
    assert list(gemm_candidates("qdq", large.model(large.last))) == ["qdq-gemm"]
