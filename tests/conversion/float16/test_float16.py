from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402
from onnx import TensorProto  # noqa: E402

from edgeconv.conversion.float16.narrowing import rounded, to_fp16  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from edgeconv.variants import FP16_TOLERANCE  # noqa: E402
from tests.conversion.graph.graphs import FLOAT, UINT8, book_convnet, model_of, node  # noqa: E402


def run(model: Any, image: np.ndarray) -> np.ndarray:
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": image})[0])


def convnet(seed: int = 0) -> Any:
    model, generator = book_convnet(), np.random.default_rng(seed)
    for tensor in model.graph.initializer:
        if tensor.data_type == FLOAT:
            fan_in = int(np.prod(tensor.dims[1:])) if len(tensor.dims) == 4 else int(tensor.dims[0])
            scale = np.sqrt(2 / fan_in) / (255 if tensor.name == "k1" else 1)
            array = (generator.normal(0, 1, tuple(tensor.dims)) * scale).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    return model


def types_of(model: Any) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(model)
    return {info.name: info.type.tensor_type.elem_type for info in (*inferred.graph.value_info, *inferred.graph.output)}


def type_of_node(model: Any, name: str) -> int:
    found = next(each for each in model.graph.node if each.name == name)
    return types_of(model)[found.output[0]]


def names(model: Any) -> list[str]:
    return [each.name for each in model.graph.node]


def test_a_convnet_has_half_the_bytes_the_same_interface_and_the_same_nodes() -> None:
    fp32 = convnet()
    fp16 = to_fp16(fp32)
    assert fp16.ByteSize() < 0.52 * fp32.ByteSize()
    assert fp16.graph.input[0] == fp32.graph.input[0]
    assert fp16.graph.output[0] == fp32.graph.output[0]
    # Pixels are cast once, to float16; the one new node brings the scores to the float32 of Softmax.
    assert names(fp16) == [*names(fp32)[:-1], "dense_1/Cast", "dense_1/Softmax"]
    assert type_of_node(fp16, "input/Cast") == TensorProto.FLOAT16
    assert type_of_node(fp16, "conv2d/Conv") == TensorProto.FLOAT16
    assert type_of_node(fp16, "dense_1/Softmax") == FLOAT


@pytest.mark.parametrize("seed", range(3))
def test_a_convnet_answers_within_the_tolerance_with_and_without_the_roundings(seed: int) -> None:
    fp32, images = convnet(seed), np.random.default_rng(9).integers(0, 256, (8, 28, 28, 1), dtype=np.uint8)
    fp16, expected = to_fp16(fp32), run(convnet(seed), images)
    assert np.ptp(expected) > 0.1
    for model in (fp16, rounded(fp16)):
        error = np.abs(run(model, images) - expected).max() / np.ptp(expected)
        assert 0 < error < FP16_TOLERANCE / 2


def test_float_inputs_and_outputs_stay_float() -> None:
    fp32 = model_of(
        [node("Gemm", ["image", "k"], ["probabilities"], "dense/Gemm")],
        {"k": np.ones((4, 2), np.float32)},
        ("batch", 4),
        ("batch", 2),
    )
    fp16 = to_fp16(fp32)
    assert names(fp16) == ["input/Cast", "dense/Gemm", "dense/Cast"]
    assert run(fp16, np.ones((3, 4), np.float32)).tolist() == [[4.0, 4.0]] * 3


def test_constants_beyond_float16_stay_float_with_what_is_added_to_them() -> None:
    fp32 = model_of(
        [
            node("Gemm", ["image", "k"], ["scores"], "dense/Gemm"),
            node("Mul", ["scores", "zero"], ["nothing"], "mask/Mul"),
            node("Add", ["nothing", "far"], ["far_away"], "mask/Add"),
            node("Add", ["scores", "far_away"], ["masked"], "attention/Add"),
            node("Softmax", ["masked"], ["probabilities"], "attention/Softmax"),
        ],
        {"k": np.eye(4, 2, dtype=np.float32), "zero": np.float32(0), "far": np.array([-1e9, -1e9], np.float32)},
        ("batch", 4),
        ("batch", 2),
    )
    fp16 = to_fp16(fp32)
    assert type_of_node(fp16, "dense/Gemm") == TensorProto.FLOAT16
    assert {type_of_node(fp16, f"{name}/Add") for name in ("mask", "attention")} == {FLOAT}
    # All is masked: float32 gives equal shares, and infinities would give NaN.
    assert run(rounded(fp16), np.zeros((1, 4), np.float32)).tolist() == [[0.5, 0.5]]


def test_an_epsilon_below_float16_stays_float() -> None:
    fp32 = model_of(
        [
            node("Gemm", ["image", "k"], ["x"], "dense/Gemm"),
            node("Add", ["x", "epsilon"], ["above"], "norm/Add"),
            node("Div", ["x", "above"], ["share"], "norm/Div"),
            node("Gemm", ["share", "k"], ["probabilities"], "dense_1/Gemm"),
        ],
        {"k": np.eye(4, dtype=np.float32), "epsilon": np.float32(1e-9)},
        ("batch", 4),
        ("batch", 4),
    )
    # In float16 the epsilon is 0, and 0 / 0 no number.
    assert run(rounded(to_fp16(fp32)), np.zeros((1, 4), np.float32)).tolist() == [[0.0] * 4]


def normalisation() -> Any:
    """A layer normalisation as tf2onnx writes it, behind a dense layer."""
    return model_of(
        [
            node("Gemm", ["image", "k"], ["x"], "dense/Gemm"),
            node("ReduceMean", ["x"], ["mean"], "norm/ReduceMean", axes=[1]),
            node("Sub", ["x", "mean"], ["centred"], "norm/Sub"),
            node("Mul", ["centred", "centred"], ["squares"], "norm/Mul"),
            node("Unsqueeze", ["squares", "axis"], ["squares4"], "norm/Unsqueeze"),
            node("GlobalAveragePool", ["squares4"], ["variance4"], "norm/GlobalAveragePool"),
            node("Squeeze", ["variance4", "axis"], ["variance"], "norm/Squeeze"),
            node("Add", ["variance", "epsilon"], ["above"], "norm/Add"),
            node("Sqrt", ["above"], ["deviation"], "norm/Sqrt"),
            node("Div", ["centred", "deviation"], ["normal"], "norm/Div"),
            node("Gemm", ["normal", "k"], ["probabilities"], "dense_1/Gemm"),
        ],
        {"k": 400 * np.eye(4, dtype=np.float32), "epsilon": np.float32(1e-3), "axis": np.array([0])},
        (1, 4),
        (1, 4),
    )


def test_squares_means_and_roots_of_a_normalisation_stay_float_with_what_lies_between() -> None:
    fp32 = normalisation()
    fp16, image = to_fp16(fp32), np.array([[1, 2, 3, 5]], np.float32)
    for name in ("ReduceMean", "Mul", "Unsqueeze", "GlobalAveragePool", "Squeeze", "Add", "Sqrt"):
        assert type_of_node(fp16, f"norm/{name}") == FLOAT, name
    assert type_of_node(fp16, "dense_1/Gemm") == TensorProto.FLOAT16
    # Squares reach 900 ** 2, far beyond 65504.
    np.testing.assert_allclose(run(rounded(fp16), image), run(fp32, image), rtol=4e-3)


def large_sums() -> Any:
    return model_of(
        [
            node("Gemm", ["image", "k"], ["x"], "dense/Gemm"),
            node("Relu", ["x"], ["y"], "dense/Relu"),
            node("Gemm", ["y", "small"], ["z"], "dense_1/Gemm"),
            node("Gemm", ["z", "small"], ["probabilities"], "dense_2/Gemm"),
        ],
        {"k": 1000 * np.eye(4, dtype=np.float32), "small": 0.01 * np.eye(4, dtype=np.float32)},
        ("batch", 4),
        ("batch", 4),
    )


def test_the_roundings_show_an_overflow_that_a_cpu_hides() -> None:
    image = np.full((1, 4), 100, np.float32)
    blind = to_fp16(large_sums())
    assert np.isfinite(run(large_sums(), image)).all()
    assert not np.isfinite(run(rounded(blind), image)).any()


def test_tensors_near_the_limit_on_examples_stay_float() -> None:
    image = np.full((1, 4), 100, np.float32)
    fp16 = to_fp16(large_sums(), {"image": image})
    kinds = [type_of_node(fp16, f"{name}/Gemm") for name in ("dense", "dense_1")]
    assert kinds == [FLOAT, FLOAT]
    assert TensorProto.FLOAT16 in types_of(fp16).values()
    np.testing.assert_allclose(run(rounded(fp16), image), run(large_sums(), image), rtol=2e-3)
    # With moderate examples nothing stays.
    assert type_of_node(to_fp16(large_sums(), {"image": image / 100}), "dense/Gemm") == TensorProto.FLOAT16


def test_subgraphs_stay_float_and_read_what_is_outside_as_float() -> None:
    def branch(name: str, operator: str) -> Any:
        inner = node(operator, ["x", "shared"], [name], f"choice/{operator}")
        value = onnx.helper.make_tensor_value_info(name, FLOAT, ("batch", 4))
        return onnx.helper.make_graph([inner], name, [], [value])

    fp32 = model_of(
        [
            node("Gemm", ["image", "k"], ["x"], "dense/Gemm"),
            node("If", ["yes"], ["y"], "choice/If", then_branch=branch("a", "Add"), else_branch=branch("b", "Sub")),
            node("Relu", ["y"], ["probabilities"], "relu/Relu"),
        ],
        {"k": 2 * np.eye(4, dtype=np.float32), "shared": np.full(4, 2, np.float32), "yes": np.array(True)},
        ("batch", 4),
        ("batch", 4),
    )
    fp16 = to_fp16(fp32)
    assert type_of_node(fp16, "dense/Gemm") == TensorProto.FLOAT16
    assert run(fp16, np.ones((2, 4), np.float32)).tolist() == [[4.0] * 4] * 2
    assert run(rounded(fp16), np.ones((2, 4), np.float32)).tolist() == [[4.0] * 4] * 2


def test_weights_of_a_recurrent_layer_are_stored_as_float16_and_computed_in_float32() -> None:
    generator = np.random.default_rng(0)
    weights = [(generator.normal(0, 0.1, (1, 128, side))).astype(np.float32) for side in (8, 32)]
    fp32 = model_of(
        [
            node("LSTM", ["image", "w", "r"], ["", "h"], "lstm/LSTM", hidden_size=32),
            node("Squeeze", ["h", "axis"], ["probabilities"], "lstm/Squeeze"),
        ],
        {"w": weights[0], "r": weights[1], "axis": np.array([0])},
        (6, 1, 8),
        (1, 32),
    )
    fp16, image = to_fp16(fp32), generator.normal(0, 1, (6, 1, 8)).astype(np.float32)
    assert type_of_node(fp16, "lstm/Squeeze") == FLOAT
    assert fp16.ByteSize() < 0.55 * fp32.ByteSize()
    np.testing.assert_allclose(run(fp16, image), run(fp32, image), atol=1e-3)


def test_the_scales_of_a_resize_stay_float() -> None:
    fp32 = model_of(
        [node("Resize", ["image", "", "scales"], ["probabilities"], "resizing/Resize", mode="nearest")],
        {"scales": np.array([1, 1, 2, 2], np.float32)},
        (1, 1, 2, 2),
        (1, 1, 4, 4),
    )
    fp16 = to_fp16(fp32)
    assert type_of_node(fp16, "resizing/Resize") == TensorProto.FLOAT16
    assert run(fp16, np.ones((1, 1, 2, 2), np.float32)).shape == (1, 1, 4, 4)


def test_pixels_are_exact_and_whole_numbers_of_more_bits_stay_float() -> None:
    for kind, expected in ((UINT8, TensorProto.FLOAT16), (TensorProto.INT32, FLOAT)):
        fp32 = model_of(
            [
                node("Cast", ["image"], ["x"], "input/Cast", to=FLOAT),
                node("Gemm", ["x", "k"], ["probabilities"], "dense/Gemm"),
            ],
            {"k": np.eye(4, dtype=np.float32)},
            ("batch", 4),
            ("batch", 4),
            kind,
        )
        assert type_of_node(to_fp16(fp32), "input/Cast") == expected


def test_a_model_that_computes_nothing_in_float32_is_refused() -> None:
    doubles = model_of(
        [node("Gemm", ["image", "k"], ["probabilities"], "dense/Gemm")],
        {"k": np.eye(4)},
        ("batch", 4),
        ("batch", 4),
        11,
    )
    doubles.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    with pytest.raises(UnsupportedModelError, match=r"computes in float32.*Export it without `--fp16`"):
        to_fp16(doubles, {"image": np.zeros((1, 4))})


def test_the_model_given_is_left_as_it_is() -> None:
    fp32 = convnet()
    before = fp32.SerializeToString(deterministic=True)
    rounded(to_fp16(fp32, {"image": np.zeros((1, 28, 28, 1), np.uint8)}))
    assert fp32.SerializeToString(deterministic=True) == before


def test_processes_of_other_hash_seeds_write_equal_bytes(tmp_path: Any) -> None:
    onnx.save(normalisation(), tmp_path / "fp32.onnx")
    program = (
        "import sys, onnx, hashlib; from edgeconv.conversion.float16.narrowing import to_fp16, rounded; "
        "m = to_fp16(onnx.load(sys.argv[1])); "
        "print(*(hashlib.sha256(x.SerializeToString(deterministic=True)).hexdigest() for x in (m, rounded(m))))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "fp32.onnx")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(answers) == 1
