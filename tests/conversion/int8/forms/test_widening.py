"""Channels of zeros beside those of a depthwise convolution: kernels take 16 at once, and every integer stays."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms.blocking import WIDE_RULE
from edgeconv.conversion.int8.forms.candidates import SHIPPED, blocked_candidates
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers


def bottleneck(channels: int, dtype: type = np.uint8, *, activation: str | None = "Relu", also: str = "") -> Network:
    """A convolution, a depthwise one, and one that reads it; the first has more channels in than blocks are for."""
    network = Network(1, ("batch", 9, 9, 8), dtype=dtype)
    maps = network.convolution(network.pixels, channels, activation=activation)
    deep = network.convolution(maps, channels, pads=(1, 1, 1, 1), groups=channels, activation=activation)
    network.last = network.convolution(deep, 10, (1, 1))
    network.others = [network.convolution({"maps": maps, "deep": deep}[also], 4, (1, 1))] if also else []
    return network


def model_of(network: Network) -> onnx.ModelProto:
    return network.model(network.last, *network.others)


def kernels(model: onnx.ModelProto) -> list[tuple[int, ...]]:
    shapes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    made = {node.output[0]: node for node in model.graph.node}
    return [shapes[made[node.input[1]].input[0]] for node in model.graph.node if node.op_type == "Conv"]


@pytest.mark.parametrize("activation", [None, "Relu", "Clip"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("channels", [8, 24, 40])
def test_channels_become_a_multiple_of_16(channels: int, dtype: type, activation: str | None) -> None:
    network = bottleneck(channels, dtype, activation=activation)
    model, wide = model_of(network), -(-channels // 16) * 16
    changed = to_blocked(model, WIDE_RULE)
    assert kernels(changed) == [(wide, 8, 3, 3), (wide, 1, 3, 3), (10, wide, 1, 1)]
    assert_equal_integers(model, changed, network.images(3))


@pytest.mark.parametrize("channels", [4, 32])
def test_a_multiple_of_16_stays_and_so_do_few(channels: int) -> None:
    model = model_of(bottleneck(channels))
    assert to_blocked(model, WIDE_RULE) is model


@pytest.mark.parametrize("also", ["maps", "deep"])
def test_what_others_read_too_stays(also: str) -> None:
    model = model_of(bottleneck(24, also=also))
    assert to_blocked(model, WIDE_RULE) is model


def test_two_depthwise_convolutions_in_a_row_stay() -> None:
    network = Network(2, ("batch", 9, 9, 8))
    maps = network.convolution(network.pixels, 24)
    for _ in range(2):
        maps = network.convolution(maps, 24, pads=(1, 1, 1, 1), groups=24)
    model = network.model(network.convolution(maps, 10, (1, 1)))
    assert to_blocked(model, WIDE_RULE) is model


def test_the_first_convolution_is_wide_and_in_blocks() -> None:
    network = Network(3, ("batch", 24, 24, 3))
    maps = network.convolution(network.pixels, 8, strides=(2, 2), pads=(0, 0, 1, 1), activation="Relu")
    maps = network.convolution(maps, 8, pads=(1, 1, 1, 1), groups=8, activation="Relu")
    model = network.model(network.convolution(maps, 24, (1, 1)))
    changed = to_blocked(model, WIDE_RULE)
    assert kernels(changed) == [(4 * 16, 12, 3, 3), (16, 1, 3, 3), (24, 16, 1, 1)]
    assert_equal_integers(model, changed, network.images())


def test_the_rule_for_every_machine_widens_nothing() -> None:
    model = model_of(bottleneck(24))
    assert to_blocked(model) is model
    assert list(blocked_candidates(model, model)) == [SHIPPED, "qdq-blocks-wide"]
