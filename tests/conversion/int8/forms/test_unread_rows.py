"""Rows of windows that nothing behind reads are not made, where a kernel can be kept from them at no great cost."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.conversion.int8.forms.blocking import Blocking
from edgeconv.conversion.int8.forms.blocks import Grouping, blocked
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers

KERNEL = np.ones((2, 1, 3, 3), np.int8)
WINDOW = Grouping(rows=2, columns=2)


@pytest.mark.parametrize(
    ("height", "bottom", "read", "taps", "pad"),
    [
        (28, 0, 13, 4, 0),  # All that fit.
        (28, 0, 12, 5, 0),  # The last one would fit a kernel of four rows, and none of five.
        (96, 0, 46, 4, 0),  # One row of 47 saves less than a fifth row of products costs in all others.
        (29, 1, 13, 4, 0),  # The border goes first.
        (28, 2, 13, 4, 0),  # Of a border alone no row is left.
        (26, 3, 12, 4, 0),
        (25, 3, 12, 4, 1),  # What is read needs a row of it.
    ],
)
def test_the_kernel_is_taller_or_the_border_shorter(height: int, bottom: int, read: int, taps: int, pad: int) -> None:
    made = blocked(KERNEL, 0, (height, 28), (1, 1), (0, 0, bottom, 0), WINDOW, (read, 13))
    assert made is not None
    assert (made.kernel.shape[2], made.pads[2]) == (taps, pad)
    positions = (height + made.pads[2] - taps) // 2 + 1
    assert made.positions[0] == positions == (read if height < 96 else 47)


@pytest.mark.parametrize(("channels", "rows"), [(1, 12), (3, 13)])
def test_a_row_of_zeros_costs_more_with_more_channels(channels: int, rows: int) -> None:
    made = blocked(np.repeat(KERNEL, channels, 1), 0, (28, 28), (1, 1), (0, 0, 0, 0), Grouping(2, 2, 2, 4), (12, 12))
    assert made is not None
    assert made.positions[0] == rows


def test_rows_of_zeros_stand_for_zero() -> None:
    made = blocked(KERNEL, 7, (28, 28), (1, 1), (0, 0, 0, 0), WINDOW, (12, 12))
    assert made is not None
    assert (made.kernel[:, :, 4] == 7).all()


@pytest.mark.parametrize("seed", range(24))
def test_every_integer_that_is_read_stays(seed: int) -> None:
    random = np.random.default_rng([seed, 9])
    height, width = (int(length) for length in random.integers(22, 38, 2))
    pads = tuple(int(length) for length in random.integers(0, 3, 4))
    network = Network(seed, ("batch", height, width, 1), dtype=(np.uint8, np.int8)[seed % 2])
    kernel = tuple(int(length) for length in random.integers(2, 5, 2))
    maps = network.max_pool(network.convolution(network.pixels, 8, kernel, pads=pads, activation="Relu"))
    maps = network.max_pool(network.convolution(maps, 8, activation="Relu"))
    model = network.model(network.convolution(maps, 8))
    blocking = Blocking(int(random.integers(1, 3)), int(random.choice([1, 2])), cut=False)
    assert_equal_integers(model, to_blocked(model, blocking), network.images())
