from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms.blocking import Blocking
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers


def cut_to(model: onnx.ModelProto) -> list[int] | None:
    """Return the height and width that the pixels of a model are cut to."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    found = [node for node in model.graph.node if node.op_type == "Slice"]
    return constants[found[0].input[2]].tolist() if found else None


def stacked(seed: int) -> Network:
    """Convolutions and pools on top of each other, padded or not, in a random picture."""
    random = np.random.default_rng([seed, 3])
    network = Network(seed, ("batch", int(random.integers(24, 34)), int(random.integers(24, 34)), 1))
    value = network.pixels
    for outputs in (8, 16):
        pads = tuple(int(length) for length in random.integers(0, 2, 4))
        kernel = tuple(int(length) for length in random.integers(1, 4, 2))
        strides = tuple(int(length) for length in random.integers(1, 3, 2))
        value = network.convolution(value, outputs, kernel, strides, pads, activation="Relu")
        value = network.max_pool(value, (2, 2), pads=tuple(int(length) for length in random.integers(0, 2, 4)))
    network.last = value
    return network


@pytest.mark.parametrize("seed", range(25))
def test_cut_borders_keep_every_integer(seed: int) -> None:
    network = stacked(seed)
    model = network.model(network.last)
    random = np.random.default_rng([seed, 4])
    blocking = Blocking(int(random.integers(1, 4)), int(random.choice([1, 2, 4])), cut=False)
    assert_equal_integers(model, to_blocked(model, Blocking()), network.images(), distinct=5)
    assert_equal_integers(model, to_blocked(model, blocking), network.images(), distinct=5)


def test_stacked_networks_are_cut_more_often_than_not() -> None:
    networks = [stacked(seed) for seed in range(25)]
    assert sum(cut_to(to_blocked(network.model(network.last), Blocking())) is not None for network in networks) >= 10


def test_the_book_convnet_reads_26_of_28_rows_and_columns() -> None:
    network = Network(1, ("batch", 28, 28, 1))
    maps = network.max_pool(network.convolution(network.pixels, 32, activation="Relu"))
    maps = network.max_pool(network.convolution(maps, 64, activation="Relu"))
    model = network.model(network.flatten(network.convolution(maps, 64, activation="Relu"), 576))
    assert cut_to(to_blocked(model, Blocking())) == [26, 26]
    assert cut_to(to_blocked(model, Blocking(cut=False))) is None
    assert_equal_integers(model, to_blocked(model, Blocking()), network.images())


def test_nothing_is_cut_where_a_second_reader_sees_the_whole_maps() -> None:
    network = Network(2, ("batch", 11, 11, 1))
    maps = network.convolution(network.pixels, 16, (1, 1))
    model = network.model(network.max_pool(maps), maps)
    assert cut_to(to_blocked(model, Blocking())) is None


def test_nothing_is_cut_before_a_padded_convolution() -> None:
    network = Network(3, ("batch", 11, 11, 1))
    model = network.model(network.max_pool(network.convolution(network.pixels, 16, pads=(1, 1, 1, 1))))
    assert cut_to(to_blocked(model, Blocking())) is None


def test_rows_are_cut_where_only_they_are_dropped() -> None:
    network = Network(4, ("batch", 11, 12, 1))
    model = network.model(network.max_pool(network.convolution(network.pixels, 16, (1, 1))))
    assert cut_to(to_blocked(model, Blocking())) == [10, 12]
