"""Networks of dense layers: weights of one scale where channels are alike, and answers that are the sums themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.int8.dense import weights_of_one_scale
from edgeconv.conversion.int8.measuring import measure
from edgeconv.conversion.int8.quantizing import prepare, quantize
from edgeconv.conversion.int8.ranges import TRAINED, ranges_of
from edgeconv.conversion.int8.targets import TARGETS
from tests.conversion.graph.graphs import model_of, node
from tests.conversion.int8.networks import answer, stream

SAMPLES = np.random.default_rng(1).normal(size=(64, 20)).astype(np.float32)


def dense(*, loud: float = 1.0, end: str = "Identity") -> Any:
    """Return Gemm -> Relu -> Gemm -> Relu -> Gemm -> what stands at the end; one channel of the second is loud."""
    random = np.random.default_rng(0)
    constants = {
        f"k{number}": random.uniform(-1, 1, shape) for number, shape in enumerate([(20, 16), (16, 16), (16, 4)])
    }
    constants["k1"] *= 1 + (loud - 1) * (np.arange(16) == 3)
    constants |= {f"b{number}": random.normal(size=size) for number, size in enumerate([16, 16, 4])}
    nodes = [
        node("Gemm", ["image", "k0", "b0"], ["x0"], "one/Gemm"),
        node("Relu", ["x0"], ["r0"], "one/Relu"),
        node("Gemm", ["r0", "k1", "b1"], ["x1"], "two/Gemm"),
        node("Relu", ["x1"], ["r1"], "two/Relu"),
        node("Gemm", ["r1", "k2", "b2"], ["probabilities" if end == "Identity" else "x2"], "three/Gemm"),
    ]
    if end != "Identity":
        nodes.append(node(end, ["x2"], ["probabilities"], f"three/{end}"))
    return model_of(nodes, {k: v.astype(np.float32) for k, v in constants.items()}, ("batch", 20), ("batch", 4))


def quantized(model: Any, target: str = "x86", method: str = "minmax") -> Any:
    prepared, scheme = prepare(model), TARGETS[target]
    ranges = ranges_of(measure(prepared, stream(SAMPLES), histograms=False), "minmax", scheme)
    return quantize(prepared, ranges, scheme, method=method)


def scales_of(model: onnx.ModelProto) -> list[int]:
    """Return how many scales the weights of each dense layer have."""
    sizes = {tensor.name: max(tensor.dims, default=1) for tensor in model.graph.initializer}
    made = {node.output[0]: node for node in model.graph.node}
    return [sizes[made[node.input[1]].input[1]] for node in model.graph.node if node.op_type == "Gemm"]


def test_hidden_layers_whose_channels_are_alike_have_one_scale() -> None:
    assert weights_of_one_scale(dense()) == ["k0", "k1"]
    assert scales_of(quantized(dense()).model) == [1, 1, 4]
    assert scales_of(quantized(dense(end="Softmax")).model) == [1, 1, 4]


def test_a_layer_with_a_loud_channel_has_a_scale_for_each() -> None:
    assert weights_of_one_scale(dense(loud=100.0)) == ["k0"]
    assert scales_of(quantized(dense(loud=100.0)).model) == [1, 16, 4]


def test_a_network_with_a_convolution_keeps_all_scales() -> None:
    model = dense()
    model.graph.node.insert(0, node("Conv", ["other", "kernel"], ["unread"], "conv/Conv"))
    assert weights_of_one_scale(model) == []


@pytest.mark.parametrize(("target", "method"), [("x86", TRAINED), ("tensorrt", "minmax"), ("qnn", "minmax")])
def test_what_was_trained_so_and_other_kernels_keep_all_scales(target: str, method: str) -> None:
    assert scales_of(quantized(dense(), target, method).model) == [16, 16, 4]


@pytest.mark.parametrize("target", ["x86", "x86-avx2", "arm64", "web"])
def test_answers_are_the_sums_themselves_and_nearer_to_those_in_float(target: str) -> None:
    made, steps = quantized(dense(), target).model, quantized(dense(), target, TRAINED).model
    last = next(node for node in made.graph.node if "probabilities" in node.output)
    assert last.op_type == "Gemm"
    assert next(node for node in steps.graph.node if "probabilities" in node.output).op_type == "DequantizeLinear"
    expected = answer(dense(), SAMPLES)
    far, near = (np.square(answer(model, SAMPLES) - expected).mean() for model in (steps, made))
    assert near < far
    assert len(np.unique(answer(made, SAMPLES))) == 4 * len(SAMPLES)


def test_the_manifest_names_the_weights() -> None:
    overrides = quantized(dense(), "x86-avx2").arguments.extra_options["TensorQuantOverrides"]
    wanted = ({"quant_type": "QInt8", "symmetric": True, "reduce_range": True},)
    assert overrides == {"k0": wanted, "k1": wanted}
