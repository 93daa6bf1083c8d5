from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.conversion.int8.measuring import measure  # noqa: E402
from edgeconv.conversion.int8.quantizing import prepare, quantize  # noqa: E402
from edgeconv.conversion.int8.targets import TARGETS  # noqa: E402
from edgeconv.errors import ConfigError, UnsupportedModelError  # noqa: E402
from tests.conversion.graph.graphs import UINT8, model_of, node  # noqa: E402
from tests.conversion.int8.networks import answer, convnet, quantized, residual_net, sqnr_db, stream  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 3), dtype=np.uint8)


def _constants(graph: Any) -> dict[str, np.ndarray]:
    return {item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer}


def test_a_node_and_its_constants_take_few_bytes_beside_their_numbers() -> None:
    """Small networks have as much of it as of weights: 210 bytes where names repeat operators and shapes are stated."""
    model = quantized(residual_net(), IMAGES).model
    numbers = sum(array.nbytes for array in _constants(model.graph).values())
    assert (model.ByteSize() - numbers) / len(model.graph.node) < 90


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_int8_keeps_the_answers(target: str) -> None:
    fp32 = convnet()
    assert sqnr_db(answer(quantized(fp32, IMAGES, target=target).model, IMAGES), answer(fp32, IMAGES)) > 20


def test_the_fp32_model_and_the_prepared_one_stay_as_they_are() -> None:
    fp32 = convnet()
    before = fp32.SerializeToString()
    prepared = prepare(fp32)
    again = replace(prepared)
    quantize(prepared, measure(prepared, stream(IMAGES), histograms=False).extremes, TARGETS["x86"])
    assert fp32.SerializeToString() == before
    assert again.digest == prepare(fp32).digest


def test_pixels_go_straight_into_the_first_dequantize_with_scale_one() -> None:
    graph = quantized(convnet(), IMAGES).model.graph
    assert "Cast" not in [item.op_type for item in graph.node]
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    behind = next(item for item in graph.node if item.op_type == "Transpose")
    first = next(item for item in graph.node if item.input[0] == behind.output[0])
    assert first.op_type == "DequantizeLinear"
    scale, zero_point = (_constants(graph)[name] for name in first.input[1:])
    assert (scale, zero_point, zero_point.dtype) == (1.0, 0, np.uint8)


def test_pixels_become_int8_exactly_where_activations_are_signed() -> None:
    """The input and the output of a Conv must have one type, or ONNX Runtime runs it in float."""
    graph = quantized(convnet(), IMAGES, target="arm64").model.graph
    assert graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    first = next(item for item in graph.node if item.op_type == "QuantizeLinear")
    scale, zero_point = (_constants(graph)[name] for name in first.input[1:])
    assert (scale, zero_point, zero_point.dtype) == (1.0, -128, np.int8)
    for item in graph.node:
        if item.op_type == "QuantizeLinear":
            assert _constants(graph)[item.input[2]].dtype == np.int8


def test_reduced_range_leaves_no_weight_that_could_overflow() -> None:
    wide, narrow = (
        [a for a in _constants(quantized(convnet(), IMAGES, target=target).model.graph).values() if a.dtype == np.int8]
        for target in ("x86", "x86-avx2")
    )
    assert max(np.abs(array.astype(int)).max() for array in narrow) == 64
    assert max(np.abs(array.astype(int)).max() for array in wide) == 127


def test_tensorrt_has_zero_points_of_zero_and_biases_in_float() -> None:
    graph = quantized(residual_net(), IMAGES, target="tensorrt").model.graph
    constants = _constants(graph)
    points = [constants[item.input[2]] for item in graph.node if item.op_type.endswith("izeLinear")]
    assert points
    assert all(not point.any() and point.dtype == np.int8 for point in points)
    assert not any(array.dtype == np.int32 for array in constants.values())
    assert graph.node[0].op_type == "Cast"


def test_every_layer_for_an_npu_stands_between_pairs() -> None:
    whole, plain = (quantized(convnet(), IMAGES, target=target).model.graph for target in ("qnn", "x86"))
    assert plain.node[0].op_type == "Transpose"
    assert [item.op_type for item in whole.node][:4] == [
        "DequantizeLinear",
        "Transpose",
        "QuantizeLinear",
        "DequantizeLinear",
    ]
    producer = {output: item for item in whole.node for output in item.output}
    softmax = next(item for item in whole.node if item.op_type == "Softmax")
    assert producer[softmax.input[0]].op_type == "DequantizeLinear"
    assert whole.input[0].type.tensor_type.elem_type == plain.input[0].type.tensor_type.elem_type == UINT8
    # The pixels move between scale 1 and zero point 0 twice: the answers differ by the steps of the logits alone.
    answers = [answer(quantized(convnet(), IMAGES, target=target).model, IMAGES) for target in ("qnn", "x86")]
    np.testing.assert_allclose(*answers, atol=0.02)


def test_tensorrt_quantizes_the_shortcut_and_not_the_convolution_beside_it() -> None:
    graph = quantized(residual_net(), IMAGES, target="tensorrt").model.graph
    producer = {output: item.op_type for item in graph.node for output in item.output}
    add = next(item for item in graph.node if item.op_type == "Add")
    assert sorted(producer[name] for name in add.input) == ["Conv", "DequantizeLinear"]
    readers = [name for item in graph.node for name in item.input if producer.get(name) == "DequantizeLinear"]
    assert len(readers) == len(set(readers)), "each reader has a pair of its own"


def test_a_shortcut_that_comes_from_a_convolution_is_quantized_too() -> None:
    """It has other readers, wherever it stands in the sum."""
    fp32 = residual_net()
    relu = next(item for item in fp32.graph.node if item.name == "conv1/Relu")
    fp32.graph.node.remove(relu)
    for item in fp32.graph.node:
        item.input[:] = ["c1" if name == "r1" else name for name in item.input]
    add = next(item for item in fp32.graph.node if item.op_type == "Add")
    add.input[:] = ["c1", "c2"]
    graph = quantized(fp32, IMAGES, target="tensorrt").model.graph
    producer = {output: item for item in graph.node for output in item.output}
    shortcut, beside = (producer[name] for name in next(item for item in graph.node if item.op_type == "Add").input)
    assert (shortcut.op_type, beside.name) == ("DequantizeLinear", "conv2/Conv")


def test_scaling_that_could_not_be_folded_stays_in_float() -> None:
    images, fp32 = IMAGES[:, :6, :6], convnet(scaled=True)
    int8 = quantized(fp32, images, "qnn")
    assert {"in/Mul", "in/Add", "dense/Softmax"} <= {item.node for item in int8.float_nodes}
    assert [item.op_type for item in int8.model.graph.node].count("Cast") == 1
    assert sqnr_db(answer(int8.model, images), answer(fp32, images)) > 20


def test_softmax_reads_floats_and_its_reason_is_told() -> None:
    int8 = quantized(convnet(), IMAGES)
    graph = int8.model.graph
    softmax = next(item for item in graph.node if item.op_type == "Softmax")
    assert next(item for item in graph.node if softmax.input[0] in item.output).op_type == "Gemm"
    (kept,) = int8.float_nodes
    assert kept.operator == "Softmax"
    assert "1/255" in kept.reason


def test_weights_are_int8_per_channel_and_activations_uint8() -> None:
    graph = quantized(convnet(), IMAGES).model.graph
    constants = _constants(graph)
    kernels = {name: array for name, array in constants.items() if array.dtype == np.int8 and array.ndim > 1}
    assert sorted(array.shape for array in kernels.values()) == [(8, 3, 3, 3), (72, 5)]
    readers = [item for item in graph.node if item.op_type == "DequantizeLinear" and item.input[0] in kernels]
    assert sorted(constants[item.input[1]].shape for item in readers) == [(5,), (8,)]
    for item in graph.node:
        if item.op_type == "QuantizeLinear":
            assert constants[item.input[2]].dtype == np.uint8


@pytest.mark.parametrize("names", [["conv"], ["conv/Conv"], {"conv": "it lost most"}])
def test_a_layer_that_was_chosen_stays_in_float(names: Any) -> None:
    """The first layer takes the pixels with it: they enter as float."""
    fp32 = convnet()
    int8 = quantized(fp32, IMAGES, float_layers=names)
    kept = {item.node: item.reason for item in int8.float_nodes}
    assert kept["conv/Conv"] == ("it lost most" if isinstance(names, dict) else "left in float to keep accuracy")
    kernels = [array for array in _constants(int8.model.graph).values() if array.ndim == 4]
    assert [array.dtype for array in kernels] == [np.float32]
    assert int8.model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    whole = quantized(fp32, IMAGES)
    expected = answer(fp32, IMAGES)
    assert sqnr_db(answer(int8.model, IMAGES), expected) > sqnr_db(answer(whole.model, IMAGES), expected)


def test_an_unknown_layer_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Received: nowhere. It has conv, dense"):
        quantized(convnet(), IMAGES, float_layers=["nowhere"])


def test_operators_without_an_int8_kernel_stay_in_float() -> None:
    rng = np.random.default_rng(3)
    nodes = [
        node("Cast", ["image"], ["x"], to=1, name="in/Cast"),
        node("Conv", ["x", "k"], ["c"], name="conv/Conv"),
        node("ConvTranspose", ["c", "t"], ["u"], name="up/ConvTranspose"),
        node("Conv", ["u", "k2"], ["probabilities"], name="last/Conv"),
    ]
    constants = {
        "k": rng.normal(size=(4, 3, 1, 1)).astype(np.float32),
        "t": rng.normal(size=(4, 4, 2, 2)).astype(np.float32),
        "k2": rng.normal(size=(2, 4, 1, 1)).astype(np.float32),
    }
    model = model_of(nodes, constants, ("batch", 3, 6, 6), ("batch", 2, 7, 7), UINT8)
    int8 = quantized(model, IMAGES[:, :6, :6].transpose(0, 3, 1, 2).copy())
    (kept,) = int8.float_nodes
    assert (kept.node, "no int8 kernel" in kept.reason) == ("up/ConvTranspose", True)
    assert [a.dtype for a in _constants(int8.model.graph).values() if a.shape == (4, 4, 2, 2)] == [np.float32]


def test_every_argument_of_the_quantizer_is_spelled_out() -> None:
    """All but those that only say where files lie."""
    from onnxruntime.quantization import quantize_static

    arguments = quantized(convnet(), IMAGES, method="entropy").arguments
    files = {"model_input", "model_output", "calibration_data_reader", "calibration_cache_path"}
    assert set(inspect.signature(quantize_static).parameters) - files == set(arguments.as_dict())
    types = arguments.activation_type, arguments.weight_type, arguments.per_channel
    assert (*types, arguments.calibrate_method) == ("QUInt8", "QInt8", True, "entropy")


@pytest.mark.parametrize(("target", "network"), [("x86", convnet), ("x86-avx2", convnet), ("arm64", residual_net)])
def test_it_is_what_quantize_static_makes_of_the_same_images(target: str, network: Any, tmp_path: Path) -> None:
    """The weights, scales and zero points of every tensor, to the bit."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no types.
        batches = iter([IMAGES.astype(np.float32)])

        def get_next(self) -> Any:
            return next(({"image": batch} for batch in self.batches), None)

    fp32 = network()
    # A channel without weights, one with a bias that does not fit beside them, and one of tiny weights.
    arrays = _constants(fp32.graph)
    kernel = max((name for name, array in arrays.items() if array.ndim == 4), key=lambda name: arrays[name].size)
    changed = arrays[kernel].copy()
    changed[0], changed[1] = 0, changed[1] * 1e-9
    for item in fp32.graph.initializer:
        if item.name == kernel:
            item.CopyFrom(onnx.numpy_helper.from_array(changed, kernel))
    signed = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}[TARGETS[target].activation_type]
    onnx.save(prepare(fp32).model, tmp_path / "float.onnx")
    quantize_static(
        tmp_path / "float.onnx",
        tmp_path / "int8.onnx",
        Reader(),
        per_channel=True,
        reduce_range=TARGETS[target].reduce_range,
        activation_type=signed,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=["dense/Softmax"],
    )
    theirs = _constants(onnx.load(tmp_path / "int8.onnx").graph)
    made = {
        (str(a.dtype), a.tobytes()) for a in _constants(quantized(fp32, IMAGES, target=target).model.graph).values()
    }
    # Pixels have a scale that was given, and so have the biases that are added to them.
    pixels = ("image_", "nchw_", "float_", "bias_", "logits_")
    # Answers have no steps.
    expected = {name: array for name, array in theirs.items() if not name.startswith((*pixels, "probabilities_"))}
    expected.pop("last_quantized_zero_point", None)  # A bias' zero point is zero without one.
    assert len(expected) > 8
    assert [name for name, a in expected.items() if (str(a.dtype), a.tobytes()) not in made] == []


def test_the_same_model_gives_the_same_bytes() -> None:
    first, again = (quantized(convnet(), IMAGES).model.SerializeToString(deterministic=True) for _ in range(2))
    assert first == again


def test_a_model_that_reads_its_pixels_twice_is_refused() -> None:
    nodes = [
        node("Cast", ["image"], ["a"], to=1, name="a"),
        node("Cast", ["image"], ["b"], to=1, name="b"),
        node("Add", ["a", "b"], ["probabilities"], name="c"),
    ]
    with pytest.raises(UnsupportedModelError, match=r"must read its pixels once, through a Cast. Received: several"):
        prepare(model_of(nodes, {}, ("batch", 4), ("batch", 4), UINT8))


def test_the_shipped_reference_is_smaller_as_int8() -> None:
    reference = Path(__file__).parents[3] / "exported" / "mnist-reference"
    sizes = [(reference / name).stat().st_size for name in ("model.int8.onnx", "model.onnx")]
    assert sizes[0] <= 0.32 * sizes[1]
