"""Equalization evens out channels between layers, and leaves the float function alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.search.equalization import equalize
from tests.conversion.graph.rewriting import assert_same, constants_of, graph_of, node, operators, random

INPUT = {"x": ["batch", 4, 8, 8]}


def _uneven(*shape: int, axis: int = 0) -> np.ndarray:
    """Return weights whose channels differ by a factor of a thousand."""
    factors = np.logspace(-1.5, 1.5, shape[axis]).astype(np.float32)
    return random(*shape) * factors.reshape([-1 if place == axis else 1 for place in range(len(shape))])


def _kernels(model: Any) -> dict[str, np.ndarray]:
    """Return the kernels of layers by the name of their node."""
    arrays = constants_of(model)
    return {item.name: arrays[item.input[1]] for item in model.graph.node if item.op_type in {"Conv", "Gemm"}}


def _between(operator: str) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Return what lies between `a`, (batch, 6, 8, 8), and `b`."""
    pooled = {"kernel_shape": [2, 2], "strides": [2, 2]}
    return {
        "nothing": ([node("Identity", ["a"], ["b"])], {}),
        "Relu": ([node("Relu", ["a"], ["b"])], {}),
        "LeakyRelu": ([node("LeakyRelu", ["a"], ["b"], alpha=0.2)], {}),
        "PRelu": ([node("PRelu", ["a", "slope"], ["b"])], {"slope": random(6, 1, 1)}),
        "MaxPool": ([node("MaxPool", ["a"], ["b"], **pooled)], {}),
        "AveragePool": ([node("AveragePool", ["a"], ["b"], pads=[1, 1, 1, 1], **pooled)], {}),
        "Clip": ([node("Clip", ["a", "low"], ["b"])], {"low": np.float32(0)}),
    }[operator]


@pytest.mark.parametrize("operator", ["nothing", "Relu", "LeakyRelu", "PRelu", "MaxPool", "AveragePool", "Clip"])
def test_what_is_homogeneous_lets_factors_through(operator: str) -> None:
    nodes, constants = _between(operator)
    constants |= {"k1": _uneven(6, 4, 3, 3), "c1": random(6), "k2": random(5, 6, 3, 3), "c2": random(5)}
    before = graph_of(
        [
            node("Conv", ["x", "k1", "c1"], ["a"], "one/Conv"),
            *nodes,
            node("Conv", ["b", "k2", "c2"], ["y"], "two/Conv"),
        ],
        constants,
        INPUT,
    )
    found = equalize(before)
    assert found.pairs == (("one/Conv", "two/Conv"),)
    assert_same(before, found.model, x=random(3, 4, 8, 8))
    spans = np.abs(_kernels(found.model)["one/Conv"]).max(axis=(1, 2, 3))
    there = np.abs(_kernels(found.model)["two/Conv"]).max(axis=(0, 2, 3))
    assert np.ptp(np.log(there / spans)) < 0.02, "channel by channel, both ranges must be alike"


def test_a_chain_through_a_depthwise_layer_gets_one_range_in_all_three() -> None:
    constants = {"k1": _uneven(6, 4, 1, 1), "k2": _uneven(6, 1, 3, 3), "k3": random(5, 6, 1, 1), "c": random(6)}
    before = graph_of(
        [
            node("Conv", ["x", "k1", "c"], ["a"], "one/Conv"),
            node("Relu", ["a"], ["b"]),
            node("Conv", ["b", "k2"], ["d"], "two/Conv", group=6, pads=[1, 1, 1, 1]),
            node("Relu", ["d"], ["e"]),
            node("Conv", ["e", "k3"], ["y"], "three/Conv"),
        ],
        constants,
        INPUT,
    )
    found = equalize(before)
    assert found.pairs == (("one/Conv", "two/Conv"), ("two/Conv", "three/Conv"))
    assert_same(before, found.model, x=random(2, 4, 8, 8))
    after = {name: np.abs(array) for name, array in _kernels(found.model).items()}
    ranges = [
        after["one/Conv"].max(axis=(1, 2, 3)),
        after["two/Conv"].max(axis=(1, 2, 3)),
        after["three/Conv"].max(axis=(0, 2, 3)),
    ]
    for first, second in itertools.pairwise(ranges):
        assert np.ptp(np.log(first / second)) < 0.02
    least = np.abs(constants["k2"]).max(axis=(1, 2, 3))
    assert ranges[1].max() / ranges[1].min() < 0.2 * least.max() / least.min()


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("flatten", ["Flatten", "Reshape"])
def test_a_flattened_map_gives_its_factor_to_all_its_inputs(transposed: int, flatten: str) -> None:
    inputs, constants = (["b", "shape"], {"shape": np.array([-1, 96])}) if flatten == "Reshape" else (["b"], {})
    dense = random(5, 96) if transposed else random(96, 5)
    constants |= {"k1": _uneven(6, 4, 3, 3), "c1": random(6), "k2": dense, "c2": random(5)}
    before = graph_of(
        [
            node("Conv", ["x", "k1", "c1"], ["a"], "one/Conv", pads=[1, 1, 1, 1]),
            node("MaxPool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2]),
            node(flatten, inputs, ["d"]),
            node("Gemm", ["d", "k2", "c2"], ["y"], "two/Gemm", transB=transposed),
        ],
        constants,
        INPUT,
    )
    found = equalize(before)
    assert len(found.pairs) == 1
    assert_same(before, found.model, x=random(3, 4, 8, 8))
    assert not np.allclose(_kernels(found.model)["two/Gemm"], dense)


@pytest.mark.parametrize("groups", [1, 2])
def test_grouped_and_plain_convolutions_keep_their_function(groups: int) -> None:
    constants = {"k1": _uneven(6, 4 // groups, 3, 3), "k2": _uneven(4, 6 // groups, 3, 3, axis=1)}
    before = graph_of(
        [
            node("Conv", ["x", "k1"], ["a"], "one/Conv", group=groups),
            node("Conv", ["a", "k2"], ["y"], "two/Conv", group=groups),
        ],
        constants,
        INPUT,
    )
    found = equalize(before)
    assert len(found.pairs) == 1
    assert_same(before, found.model, x=random(2, 4, 8, 8))


def test_dense_layers_are_pairs_too() -> None:
    constants = {"k1": _uneven(4, 6, axis=1), "c1": random(1, 6), "k2": random(3, 6), "c2": random(3)}
    before = graph_of(
        [
            node("Gemm", ["x", "k1", "c1"], ["a"], "one/Gemm", alpha=0.5),
            node("Relu", ["a"], ["b"]),
            node("Gemm", ["b", "k2", "c2"], ["y"], "two/Gemm", transB=1),
        ],
        constants,
        {"x": ["batch", 4]},
    )
    found = equalize(before)
    assert len(found.pairs) == 1
    assert_same(before, found.model, x=random(3, 4))


@pytest.mark.parametrize(
    ("between", "outputs"),
    [
        ([node("Clip", ["a", "low", "high"], ["b"])], ["y"]),
        ([node("Sigmoid", ["a"], ["b"])], ["y"]),
        ([node("Relu", ["a"], ["b"]), node("Neg", ["a"], ["z"])], ["y", "z"]),
        ([node("Relu", ["a"], ["b"])], ["y", "b"]),
        ([node("Relu", ["a"], ["b"]), node("Neg", ["k2"], ["z"])], ["y", "z"]),
    ],
    ids=["ReLU6", "Sigmoid", "two readers", "an output", "shared weights"],
)
def test_what_is_not_exact_is_left_alone(between: list[Any], outputs: list[str]) -> None:
    constants = {"k1": _uneven(6, 4, 3, 3), "k2": random(5, 6, 3, 3), "low": np.float32(0), "high": np.float32(6)}
    before = graph_of(
        [node("Conv", ["x", "k1"], ["a"], "one/Conv"), *between, node("Conv", ["b", "k2"], ["y"], "two/Conv")],
        constants,
        INPUT,
        outputs,
    )
    found = equalize(before)
    assert found.pairs == ()
    assert found.model == before


def test_layers_with_one_bias_between_them_are_a_pair_all_the_same() -> None:
    constants = {"k1": _uneven(6, 4, 3, 3), "k2": random(6, 6, 3, 3), "c": random(6)}
    before = graph_of(
        [node("Conv", ["x", "k1", "c"], ["a"], "one/Conv"), node("Conv", ["a", "k2", "c"], ["y"], "two/Conv")],
        constants,
        INPUT,
    )
    found = equalize(before)
    assert len(found.pairs) == 1
    assert_same(before, found.model, x=random(2, 4, 8, 8))


def test_dead_channels_stay_dead_and_finite() -> None:
    dead, unread = _uneven(6, 4, 3, 3), random(5, 6, 3, 3)
    dead[0], unread[:, 1] = 0, 0
    before = graph_of(
        [node("Conv", ["x", "k1", "c"], ["a"], "one/Conv"), node("Conv", ["a", "k2"], ["y"], "two/Conv")],
        {"k1": dead, "c": random(6), "k2": unread},
        INPUT,
    )
    found = equalize(before)
    assert all(np.isfinite(array).all() for array in constants_of(found.model).values())
    assert_same(before, found.model, x=random(2, 4, 8, 8))


def test_measured_channels_are_evened_out_against_the_next_weights() -> None:
    maxima = np.array([1, 2, 4, 8, 16, 32], float)
    constants = {"k1": random(6, 4, 1, 1), "k2": random(6, 1, 3, 3), "k3": random(5, 6, 1, 1)}
    before = graph_of(
        [
            node("Conv", ["x", "k1"], ["a"], "one/Conv"),
            node("Conv", ["a", "k2"], ["b"], "two/Conv", group=6),
            node("Conv", ["b", "k3"], ["y"], "three/Conv"),
        ],
        constants,
        INPUT,
    )
    found = equalize(before, channel_maxima={"one/Conv": maxima})
    assert found.pairs == (("one/Conv", "two/Conv"),)
    assert_same(before, found.model, x=random(2, 4, 8, 8))
    factors = _kernels(found.model)["two/Conv"][:, 0, 0, 0] / constants["k2"][:, 0, 0, 0]
    # A depthwise layer takes all of it: the activations between are even afterwards.
    np.testing.assert_allclose(maxima / factors, np.full(6, (maxima / factors)[0]), rtol=1e-3)


@pytest.mark.parametrize("depthwise", [True, False])
def test_measured_channels_come_up_to_a_bound_and_no_farther(depthwise: bool) -> None:
    kernel, wild = random(6, 4, 1, 1), np.array([6, 1, 0.1, 0.01, 0.001, 5.9]).astype(np.float32)
    after = random(6, 1, 3, 3) if depthwise else random(5, 6, 1, 1) / wild.reshape(1, 6, 1, 1)
    bounds = {"low": np.float32(0), "high": np.float32(6)}
    before = graph_of(
        [
            node("Conv", ["x", "k1"], ["a"], "one/Conv"),
            node("Clip", ["a", "low", "high"], ["b"]),
            node("Conv", ["b", "k2"], ["y"], "two/Conv", group=6 if depthwise else 1),
        ],
        {"k1": kernel * wild.reshape(6, 1, 1, 1), "k2": after, **bounds},
        INPUT,
    )
    x = np.abs(random(2, 4, 8, 8))
    signal = np.einsum("oi,nihw->nohw", _kernels(before)["one/Conv"][:, :, 0, 0], x).clip(0, 6)
    maxima = signal.max(axis=(0, 2, 3)).astype(float)
    found = equalize(before, channel_maxima={"one/Conv": maxima})
    assert found.pairs == (("one/Conv", "two/Conv"),)
    assert_same(before, found.model, x=x)
    kernels = _kernels(found.model)
    divisors = _kernels(before)["one/Conv"][:, 0, 0, 0] / kernels["one/Conv"][:, 0, 0, 0]
    np.testing.assert_allclose(divisors[maxima >= 4.8], 1.0, err_msg="what reaches the bound stays as it is")
    scaled = (maxima / divisors)[(maxima > 0) & (maxima < 4.8)]
    assert scaled.max() == pytest.approx(4.8)
    assert scaled.min() > (4.7 if depthwise else 0.5), "channels a thousand times apart have a like range"


def test_without_measured_channels_nothing_passes_a_bound() -> None:
    constants = {"k1": _uneven(6, 4, 3, 3), "k2": random(5, 6, 3, 3), "low": np.float32(-1), "high": np.float32(6)}
    nodes = [node("Clip", ["a", "low", "high"], ["b"]), node("Conv", ["b", "k2"], ["y"], "two/Conv")]
    before = graph_of([node("Conv", ["x", "k1"], ["a"], "one/Conv"), *nodes], constants, INPUT)
    assert equalize(before, channel_maxima={"one/Conv": np.ones(6)}).pairs == (), "a lower bound lets nothing through"


def test_only_weights_change() -> None:
    before = graph_of(
        [node("Conv", ["x", "k1"], ["a"], "one/Conv"), node("Conv", ["a", "k2"], ["y"], "two/Conv")],
        {"k1": _uneven(6, 4, 3, 3), "k2": random(5, 6, 3, 3)},
        INPUT,
    )
    kept = before.SerializeToString()
    found = equalize(before)
    assert before.SerializeToString() == kept, "the model that was given must stay as it is"
    assert operators(found.model) == operators(before)
    assert len(found.model.graph.initializer) == len(before.graph.initializer)
    assert equalize(before).model.SerializeToString() == found.model.SerializeToString()
    onnx.checker.check_model(found.model, full_check=True)
