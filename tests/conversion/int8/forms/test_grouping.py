from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms.blocking import BLOCKINGS, RULE, Blocking
from edgeconv.conversion.int8.forms.blocks import Grouping, blocked
from edgeconv.conversion.int8.forms.candidates import PLAIN, SHIPPED, blocked_candidates
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers, operators

AS_COLUMNS = ["Transpose", "Reshape", "Transpose"]


def drawn(seed: int, dtype: type = np.uint8) -> tuple[Network, str]:
    """A first convolution of random shape, with or without a max-pool, and one behind it that reads all channels."""
    random = np.random.default_rng([seed, 7])
    channels = int(random.choice([1, 3]))
    kernel = tuple(int(length) for length in random.integers(1, 8, 2))
    strides = tuple(int(length) for length in random.integers(1, 4, 2))
    pads = tuple(int(length) for length in random.integers(0, 4, 4))
    height, width = (int(length) for length in random.integers(15, 29, 2))
    network = Network(seed, ("batch", height, width, channels), dtype=dtype)
    activation = [None, "Relu", "Clip"][seed % 3]
    maps = network.convolution(network.pixels, 8, kernel, strides, pads, activation=activation)
    window = (int(random.integers(1, 4)), int(random.integers(1, 4)))
    rows = (height + pads[0] + pads[2] - kernel[0]) // strides[0] + 1
    columns = (width + pads[1] + pads[3] - kernel[1]) // strides[1] + 1
    if random.random() < 0.7 and rows >= window[0] and columns >= window[1]:
        maps = network.max_pool(maps, window)
    return network, network.convolution(maps, 16, (1, 1))


@pytest.mark.parametrize("seed", range(50))
def test_random_first_convolutions_keep_every_integer(seed: int) -> None:
    network, result = drawn(seed)
    model = network.model(result)
    random = np.random.default_rng([seed, 8])
    blocking = Blocking(int(random.integers(1, 4)), int(random.choice([1, 2, 3, 4])), bool(random.integers(2)))
    assert_equal_integers(model, to_blocked(model, blocking), network.images())


def test_random_shapes_are_changed_more_often_than_not() -> None:
    changed = sum(
        "Reshape" in operators(to_blocked(drawn(seed)[0].model(drawn(seed)[1]), Blocking())) for seed in range(20)
    )
    assert changed >= 8


def kernel_of(model: onnx.ModelProto, number: int = 0) -> tuple[int, ...]:
    shapes = [tuple(t.dims) for t in model.graph.initializer if len(t.dims) == 4]
    return shapes[number]


@pytest.mark.parametrize(
    ("blocking", "kernel"),
    [
        (Blocking(cut=False), (4 * 8, 1, 4, 4)),
        (Blocking(view=2, cut=False), (4 * 8, 2, 4, 2)),
        (Blocking(view=2), (4 * 8, 2, 4, 2)),
    ],
)
def test_max_pool_is_folded_into_the_groups(blocking: Blocking, kernel: tuple[int, ...]) -> None:
    network = Network(1, ("batch", 28, 26, 1))
    result = network.max_pool(network.convolution(network.pixels, 8, activation="Relu"))
    model = to_blocked(network.model(network.convolution(result, 16, (1, 1))), blocking)
    pool = next(node for node in model.graph.node if node.op_type == "MaxPool")
    assert list(onnx.helper.get_node_attr_value(pool, "kernel_shape")) == [1, 4]
    assert kernel_of(model) == kernel


def test_two_windows_of_the_pool_side_by_side_over_blocks_of_four_columns() -> None:
    network = Network(9, ("batch", 28, 28, 1))
    maps = network.convolution(network.pixels, 8, pads=(1, 1, 1, 1), activation="Relu")
    model = network.model(network.convolution(network.max_pool(maps), 16, (1, 1)))
    changed = to_blocked(model, Blocking(windows=2, view=4))
    assert kernel_of(changed) == (8 * 8, 4, 4, 3)
    assert operators(changed)[2:-1] == ["Conv", *AS_COLUMNS, "MaxPool", *AS_COLUMNS]
    assert_equal_integers(model, changed, network.images())


def test_a_window_that_nothing_reads_is_left_over_where_blocks_do_not_divide() -> None:
    """The book's convnet: 13 windows each way, of which the second pool reads what 12 give."""
    network = Network(10, ("batch", 28, 28, 1))
    maps = network.max_pool(network.convolution(network.pixels, 32, activation="Relu"))
    maps = network.max_pool(network.convolution(maps, 64, activation="Relu"))
    model = network.model(network.flatten(network.convolution(maps, 64, activation="Relu"), 576))
    blocking = Blocking(windows=2, view=4, cut=False)
    changed = to_blocked(model, blocking)
    assert "Slice" not in operators(changed)
    assert_equal_integers(model, changed, network.images())
    assert kernel_of(changed) == (4 * 2 * 32, 4, 5, 2)


def test_windows_that_are_read_are_not_left_over() -> None:
    network = Network(11, ("batch", 28, 28, 1))
    maps = network.max_pool(network.convolution(network.pixels, 32))
    model = network.model(network.convolution(maps, 64, (1, 1)))
    assert "Reshape" not in operators(to_blocked(model, Blocking(windows=2, view=4, cut=False)))


def test_rgb_convolution_with_a_stride_makes_columns_side_by_side() -> None:
    network = Network(2, ("batch", 32, 32, 3))
    result = network.convolution(network.pixels, 16, (3, 3), (2, 2), (0, 0, 1, 1), activation="Relu")
    model = network.model(network.convolution(result, 8, (1, 1)))
    changed = to_blocked(model, Blocking(windows=4, view=4))
    assert kernel_of(changed) == (4 * 16, 12, 3, 3)
    assert_equal_integers(model, changed, network.images())


@pytest.mark.parametrize("blocking", [Blocking(windows=3), Blocking(view=5), Blocking(windows=2, view=8)])
def test_blocks_that_do_not_divide_the_sizes_leave_the_convolution(blocking: Blocking) -> None:
    network = Network(3, ("batch", 32, 32, 3))
    model = network.model(network.convolution(network.pixels, 16, (3, 3), (2, 2), (0, 0, 1, 1)))
    assert operators(to_blocked(model, blocking)) == ["Transpose", "Conv"]


def test_convolutions_of_many_channels_stay() -> None:
    network = Network(4, ("batch", 12, 12, 5))
    model = network.model(network.max_pool(network.convolution(network.pixels, 8)))
    assert operators(to_blocked(model, Blocking())) == ["Transpose", "Conv", "MaxPool"]


@pytest.mark.parametrize("attributes", [{"strides": (1, 1)}, {"pads": (1, 1, 1, 1)}, {"ceil_mode": 1}])
def test_pools_whose_windows_do_not_tile_are_not_folded(attributes: dict[str, object]) -> None:
    network = Network(5, ("batch", 13, 13, 1))
    model = network.model(network.max_pool(network.convolution(network.pixels, 8), **attributes))
    changed = to_blocked(model, Blocking())
    assert operators(changed) == ["Transpose", "Conv", "MaxPool"]
    assert_equal_integers(model, changed, network.images())


def test_pool_is_not_folded_where_the_maps_are_read_twice() -> None:
    network = Network(6, ("batch", 14, 14, 1))
    maps = network.convolution(network.pixels, 8)
    model = network.model(network.max_pool(maps), network.convolution(maps, 8, (1, 1)))
    assert "Reshape" not in operators(to_blocked(model, Blocking()))
    assert_equal_integers(model, to_blocked(model, Blocking()), network.images())


def test_dilated_convolution_stays() -> None:
    network = Network(7, ("batch", 14, 14, 1))
    model = network.model(network.max_pool(network.convolution(network.pixels, 8, dilations=(2, 2))))
    assert "Reshape" not in operators(to_blocked(model, Blocking()))
    assert_equal_integers(model, to_blocked(model, Blocking()), network.images())


def test_group_larger_than_the_maps_is_refused() -> None:
    kernel = np.ones((2, 1, 3, 3), np.int8)
    assert blocked(kernel, 0, (4, 4), (1, 1), (0, 0, 0, 0), Grouping(3, 1)) is None
    assert blocked(kernel, 0, (4, 4), (1, 1), (0, 0, 0, 0), Grouping(2, 2)) is not None


def test_candidates_begin_with_the_file_that_is_shipped_and_are_all_different() -> None:
    network = Network(8, ("batch", 28, 28, 1))
    plain = network.model(network.max_pool(network.convolution(network.pixels, 8, activation="Relu")))
    shipped = to_blocked(plain)
    found = blocked_candidates(shipped, plain)
    assert list(found)[:2] == [SHIPPED, PLAIN]
    assert (found[SHIPPED], found[PLAIN]) == (shipped, plain)
    assert list(blocked_candidates(plain, plain))[:2] == [SHIPPED, f"qdq-{Blocking()}"]
    graphs = {candidate.graph.SerializeToString(deterministic=True) for candidate in found.values()}
    assert 2 <= len(graphs) == len(found) < 1 + len(BLOCKINGS)
    assert len({str(replace(blocking)) for blocking in BLOCKINGS}) == len(BLOCKINGS)


@pytest.mark.parametrize(("stride", "grown"), [(7, False), (4, True)])
def test_patches_stay_patches_whose_blocks_would_be_zeros(stride: int, grown: bool) -> None:
    """A vision transformer's first convolution had sixteen times its weights in blocks, and took longer."""
    network = Network(3, ("batch", 28, 28, 1))
    result = network.convolution(network.pixels, 8, (7, 7), (stride, stride))
    made = to_blocked(network.model(network.convolution(result, 16, (1, 1))), RULE)
    assert bool(np.prod(kernel_of(made)) > 8 * 7 * 7) is grown
