"""Dense layers one behind the other become pointwise convolutions whose rows are the samples, with equal integers."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.forms import pointwise
from edgeconv.conversion.int8.forms.writing import to_blocked
from tests.conversion.int8.forms.networks import Network, assert_equal_integers, operators

SIDE = 5


def sensor(seed: int, dtype: type = np.uint8) -> tuple[Network, str]:
    """Numbers of a sensor, as rows."""
    network = Network(seed, ("batch", 1, SIDE, SIDE), dtype=dtype)
    return network, network.flatten(network.pixels, SIDE * SIDE)


def chain(seed: int, widths: tuple[int, ...] = (24, 8, 33), dtype: type = np.uint8) -> tuple[Network, str]:
    network, value = sensor(seed, dtype)
    for place, width in enumerate(widths):
        value = network.dense(value, width, transposed=(place + seed) % 2 == 1)
    return network, value


def of_one_scale(model: onnx.ModelProto, gemms: int) -> onnx.ModelProto:
    """Give the weights of the first Gemms one scale."""
    producers = {name: node for node in model.graph.node for name in node.output}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for gemm in [node for node in model.graph.node if node.op_type == "Gemm"][:gemms]:
        for name in gemm.input[1:3]:
            for constant in producers[name].input[1:]:
                number = onnx.numpy_helper.to_array(tensors[constant])[0]
                tensors[constant].CopyFrom(onnx.numpy_helper.from_array(number, constant))
            del producers[name].attribute[:]
    return model


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch", [1, 7])
def test_every_integer_stays(seed: int, dtype: type, batch: int) -> None:
    network, result = chain(seed, dtype=dtype)
    model = network.model(result)
    changed = to_blocked(model)
    assert operators(changed).count("Conv") == 3
    assert "Gemm" not in operators(changed)
    assert_equal_integers(model, changed, network.images(batch), distinct=8)


def test_answers_in_float_stay_the_sums_that_they_are() -> None:
    network, hidden = chain(1)
    model = network.model(network.dense(hidden, 10, quantized=False), read=False)
    changed = to_blocked(model)
    assert [name for name in operators(changed) if name in {"Conv", "Gemm"}] == ["Conv"] * 3 + ["Gemm"]
    assert_equal_integers(model, changed, network.images(4))


def test_a_relu_that_the_integers_hold_is_no_end_of_a_chain() -> None:
    network, value = sensor(2)
    for relu in ("relu", "relu_1"):
        value = network.dense(value, 16)
        gemm, quantizer = network.nodes[-2:]
        network.nodes.insert(-1, onnx.helper.make_node("Relu", gemm.output, [relu], f"{relu}/Relu"))
        network.scales[value] = network.scale(float(network.constants[quantizer.input[1]]), 0)
        quantizer.input[:] = [relu, *network.scales[value]]
    model = network.model(value)
    changed = to_blocked(model)
    assert operators(changed).count("Conv") == 2
    assert_equal_integers(model, changed, network.images(3), distinct=8)


def test_one_layer_stays_and_so_does_one_that_two_read() -> None:
    network, one = chain(3, (16,))
    assert "Conv" not in operators(to_blocked(network.model(one)))
    network, stem = chain(4, (16,))
    model = network.model(network.dense(stem, 8), network.dense(stem, 8))
    assert "Conv" not in operators(to_blocked(model))


@pytest.mark.parametrize(("gemms", "convolutions"), [(3, 0), (2, 0), (1, 3)])
def test_most_layers_must_have_a_scale_for_each_channel(gemms: int, convolutions: int) -> None:
    network, result = chain(5)
    model = of_one_scale(network.model(result), gemms)
    changed = to_blocked(model)
    assert operators(changed).count("Conv") == convolutions
    assert_equal_integers(model, changed, network.images(3), distinct=8)


def test_layers_that_cores_share_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    network, result = chain(6, (24, 24))
    monkeypatch.setattr(pointwise, "MOST_WEIGHTS", 24 * SIDE * SIDE - 1)
    assert "Conv" not in operators(to_blocked(network.model(result)))
    monkeypatch.setattr(pointwise, "MOST_WEIGHTS", 24 * SIDE * SIDE)
    assert operators(to_blocked(network.model(result))).count("Conv") == 2


def test_weights_of_another_zero_point_stay() -> None:
    network, result = chain(7, (16, 16))
    model = network.model(result)
    weights = next(node for node in model.graph.node if node.op_type == "Gemm").input[1]
    zero_point = next(node for node in model.graph.node if node.output[0] == weights).input[2]
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == zero_point)
    tensor.CopyFrom(onnx.numpy_helper.from_array(np.full(16, 3, np.int8), zero_point))
    assert "Conv" not in operators(to_blocked(model))
