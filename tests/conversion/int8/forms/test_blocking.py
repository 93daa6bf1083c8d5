"""The rule that blocks of the portable file are chosen by: shapes alone decide, and every integer stays."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.conversion.int8.forms.blocking import RULE, ConvolutionShape
from edgeconv.conversion.int8.forms.blocks import Grouping
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers, operators
from tests.conversion.int8.forms.test_grouping import drawn, kernel_of


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("seed", range(50, 80))
def test_random_first_convolutions_keep_every_integer(seed: int, dtype: type) -> None:
    network, result = drawn(seed, dtype)
    model = network.model(result)
    assert_equal_integers(model, to_blocked(model), network.images(3))


def test_a_quarter_of_random_shapes_fits() -> None:
    models = [network.model(result) for network, result in map(drawn, range(50, 80))]
    assert sum(to_blocked(model) is not model for model in models) >= 8


@pytest.mark.parametrize(
    ("shape", "grouping"),
    [
        (ConvolutionShape(32, 1, (2, 2)), Grouping(2, 2, 2, 4)),  # The book's convnet: two windows make a block.
        (ConvolutionShape(16, 1, (1, 1)), Grouping(1, 1, 4, 4)),  # A residual network for small pictures.
        (ConvolutionShape(8, 2, (1, 1)), Grouping(1, 1, 4, 4)),  # A MobileNet of a quarter of the width.
        (ConvolutionShape(64, 2, (1, 1)), Grouping(1, 1, 2, 4)),  # ResNet50.
        (ConvolutionShape(96, 4, (1, 1)), Grouping(1, 1, 1, 4)),  # AlexNet.
    ],
)
def test_blocks_have_four_columns_and_positions_fill_a_vector(shape: ConvolutionShape, grouping: Grouping) -> None:
    assert next(iter(RULE.groupings(shape))) == grouping


def test_where_four_do_not_divide_the_width_blocks_have_two_columns() -> None:
    network = Network(1, ("batch", 30, 30, 1))
    maps = network.max_pool(network.convolution(network.pixels, 16, pads=(1, 1, 1, 1), activation="Relu"))
    model = network.model(network.convolution(maps, 8, (1, 1)))
    changed = to_blocked(model)
    assert kernel_of(changed) == (4 * 16, 2, 4, 3)
    assert_equal_integers(model, changed, network.images())


def test_a_convolution_that_makes_no_more_at_a_position_stays() -> None:
    """Of keyword spotting, ten coefficients by 49 times: 5 columns of outputs are no windows of two or of four."""
    network = Network(2, ("batch", 49, 10, 1))
    model = network.model(network.convolution(network.pixels, 64, (10, 4), (2, 2), (4, 1, 5, 1), activation="Relu"))
    assert to_blocked(model) is model


def test_a_network_without_such_a_convolution_is_the_same_object() -> None:
    network = Network(3, ("batch", 12, 12, 8))
    model = network.model(network.convolution(network.pixels, 8))
    assert to_blocked(model) is model


def test_nothing_is_cut_off() -> None:
    network = Network(4, ("batch", 28, 28, 1))
    maps = network.max_pool(network.convolution(network.pixels, 32))
    maps = network.max_pool(network.convolution(maps, 8))
    changed = to_blocked(network.model(network.convolution(maps, 8)))
    assert "Reshape" in operators(changed)
    assert "Slice" not in operators(changed)
