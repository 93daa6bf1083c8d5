from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.quantization import quantize_static_int8
from edgeconv.errors import UnsupportedModelError

node = onnx.helper.make_node
RNG = np.random.default_rng(0)


def _convnet(build: Any, *, scaled: bool) -> Any:
    """Return Cast -> [Mul -> Add] -> Transpose -> Conv -> Relu -> MaxPool -> Reshape -> Gemm -> Softmax."""
    scaling = [
        node("Mul", ["float", "scale"], ["s"], name="in/Mul"),
        node("Add", ["s", "offset"], ["x"], name="in/Add"),
    ]
    constants = {
        "kernel": RNG.normal(size=(8, 3, 3, 3)).astype(np.float32) / (1 if scaled else 127.5),
        "bias": RNG.normal(size=8).astype(np.float32),
        "target": np.array([-1, 72]),
        "weights": RNG.normal(size=(72, 5), scale=0.1).astype(np.float32),
        "last": RNG.normal(size=5).astype(np.float32),
    }
    scales = {"scale": np.array(1 / 127.5, np.float32), "offset": np.array(-1, np.float32)}
    nodes = [
        node("Cast", ["image"], ["float"], to=1, name="in/Cast"),
        *(scaling if scaled else []),
        node("Transpose", ["x" if scaled else "float"], ["nchw"], perm=[0, 3, 1, 2], name="conv/Transpose"),
        node(
            "Conv",
            ["nchw", "kernel", "bias"],
            ["conv"],
            pads=[1, 1, 1, 1] if scaled else [0, 0, 0, 0],
            name="conv/Conv",
        ),
        node("Relu", ["conv"], ["relu"], name="conv/Relu"),
        node("MaxPool", ["relu"], ["pool"], kernel_shape=[2, 2], strides=[2, 2], name="pool/MaxPool"),
        node("Reshape", ["pool", "target"], ["flat"], name="flat/Reshape"),
        node("Gemm", ["flat", "weights", "last"], ["logits"], name="dense/Gemm"),
        node("Softmax", ["logits"], ["probabilities"], name="dense/Softmax"),
    ]
    side = 6 if scaled else 8
    return build(
        nodes, constants | (scales if scaled else {}), ["batch", side, side, 3], ["batch", 5], onnx.TensorProto.UINT8
    )


def _nearly_equal(answers: np.ndarray, expected: np.ndarray) -> None:
    """Check int8 by its noise: 256 steps a tensor give some 35 dB a layer, a wrong scale or zero point below 10."""
    assert np.ptp(expected) > 0.5, "a constant answer proves nothing"
    noise = np.square(answers - expected).sum()
    assert 10 * np.log10(np.square(expected).sum() / noise) > 20


@pytest.fixture
def images() -> np.ndarray:
    return RNG.integers(0, 256, (120, 8, 8, 3), dtype=np.uint8)


def test_pixels_go_straight_into_the_first_dequantize(build: Any, run: Any, images: np.ndarray) -> None:
    fp32 = _convnet(build, scaled=False)
    before = fp32.SerializeToString()
    int8 = quantize_static_int8(fp32, images).model
    assert fp32.SerializeToString() == before
    operators = [item.op_type for item in int8.graph.node]
    assert "Cast" not in operators
    assert int8.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    _nearly_equal(run(int8, images), run(fp32, images))


def test_the_scale_of_the_pixels_is_one(build: Any, images: np.ndarray) -> None:
    int8 = quantize_static_int8(_convnet(build, scaled=False), images).model
    constants = {item.name: onnx.numpy_helper.to_array(item) for item in int8.graph.initializer}
    behind = next(item for item in int8.graph.node if item.op_type == "Transpose")
    first = next(item for item in int8.graph.node if item.input[0] == behind.output[0])
    assert first.op_type == "DequantizeLinear"
    assert constants[first.input[1]] == 1.0
    assert constants[first.input[2]] == 0
    assert constants[first.input[2]].dtype == np.uint8


def test_scaling_that_could_not_be_folded_stays_in_float(build: Any, run: Any) -> None:
    images = RNG.integers(0, 256, (120, 6, 6, 3), dtype=np.uint8)
    fp32 = _convnet(build, scaled=True)
    quantized = quantize_static_int8(fp32, images)
    kept = {item["node"] for item in quantized.float_nodes}
    assert {"in/Mul", "in/Add", "dense/Softmax"} <= kept
    assert [item.op_type for item in quantized.model.graph.node].count("Cast") == 1
    _nearly_equal(run(quantized.model, images), run(fp32, images))


def test_softmax_reads_floats_and_its_reason_is_told(build: Any, images: np.ndarray) -> None:
    quantized = quantize_static_int8(_convnet(build, scaled=False), images)
    graph = quantized.model.graph
    softmax = next(item for item in graph.node if item.op_type == "Softmax")
    assert next(item for item in graph.node if softmax.input[0] in item.output).op_type == "Gemm"
    (kept,) = quantized.float_nodes
    assert kept["operator"] == "Softmax"
    assert "1/255" in kept["reason"]


def test_weights_are_int8_per_channel_and_activations_uint8(build: Any, images: np.ndarray) -> None:
    graph = quantize_static_int8(_convnet(build, scaled=False), images).model.graph
    constants = {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}
    kernels = [array for array in constants.values() if array.dtype == np.int8 and array.ndim > 1]
    assert sorted(array.shape for array in kernels) == [(8, 3, 3, 3), (72, 5)]
    scales = [
        constants[item.input[1]].shape
        for item in graph.node
        if item.op_type == "DequantizeLinear"
        and constants.get(item.input[0]) is not None
        and constants[item.input[0]].dtype == np.int8
        and constants[item.input[0]].ndim > 1
    ]
    assert sorted(scales) == [(5,), (8,)]
    for item in graph.node:
        if item.op_type == "QuantizeLinear":
            assert constants[item.input[2]].dtype == np.uint8


def test_every_argument_of_the_quantizer_is_spelled_out(build: Any, images: np.ndarray) -> None:
    """All but those that only say where files lie."""
    import inspect

    from onnxruntime.quantization import quantize_static

    arguments = quantize_static_int8(_convnet(build, scaled=False), images).arguments
    files = {"model_input", "model_output", "calibration_data_reader", "calibration_cache_path"}
    assert set(inspect.signature(quantize_static).parameters) - files == set(arguments)
    assert (arguments["activation_type"], arguments["weight_type"], arguments["per_channel"]) == (
        "QUInt8",
        "QInt8",
        True,
    )


def test_the_same_model_gives_the_same_bytes(build: Any, images: np.ndarray) -> None:
    model = _convnet(build, scaled=False)
    first, again = (quantize_static_int8(model, images).model.SerializeToString(deterministic=True) for _ in range(2))
    assert first == again


def test_a_model_that_reads_its_pixels_twice_is_refused(build: Any, images: np.ndarray) -> None:
    twice = build(
        [
            node("Cast", ["image"], ["a"], to=1, name="a"),
            node("Cast", ["image"], ["b"], to=1, name="b"),
            node("Add", ["a", "b"], ["probabilities"], name="c"),
        ],
        {},
        ["batch", 4],
        ["batch", 4],
        onnx.TensorProto.UINT8,
    )
    with pytest.raises(UnsupportedModelError, match=r"must read its pixels once, through a Cast. Received: several"):
        quantize_static_int8(twice, images)


def test_the_shipped_reference_is_smaller_as_int8() -> None:
    reference = Path(__file__).parents[2] / "exported" / "mnist-reference"
    sizes = [(reference / name).stat().st_size for name in ("model.int8.onnx", "model.onnx")]
    assert sizes[0] <= 0.32 * sizes[1]
