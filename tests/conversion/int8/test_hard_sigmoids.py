from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from tests.conversion.graph.graphs import UINT8, model_of, node  # noqa: E402
from tests.conversion.int8.networks import answer, quantized, sqnr_db  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 3, 10, 10), dtype=np.uint8)


def _network(activation: list[Any]) -> Any:
    """Return Conv -> what reads `a0` and makes `a1` -> Conv."""
    rng = np.random.default_rng(1)
    constants = {
        "k1": (rng.normal(size=(16, 3, 1, 1)) / 60).astype(np.float32),
        "k2": rng.normal(size=(4, 16, 1, 1)).astype(np.float32),
    }
    nodes = [
        node("Cast", ["image"], ["x"], "in/Cast", to=1),
        node("Conv", ["x", "k1"], ["a0"], "first/Conv"),
        *activation,
        node("Conv", ["a1", "k2"], ["probabilities"], "second/Conv"),
    ]
    return model_of(nodes, constants, ("batch", 3, 10, 10), ("batch", 4, 10, 10), UINT8)


def _sigmoid(alpha: float, beta: float) -> Any:
    return _network([node("HardSigmoid", ["a0"], ["a1"], "act/HardSigmoid", alpha=alpha, beta=beta)])


@pytest.mark.parametrize("target", ["x86", "arm64", "tensorrt"])
@pytest.mark.parametrize(("alpha", "beta"), [(1 / 6, 0.5), (0.2, 0.5), (0.1, 0.0), (0.3, -0.2), (1.0, 0.9)])
def test_the_answers_are_kept(alpha: float, beta: float, target: str) -> None:
    fp32 = _sigmoid(alpha, beta)
    assert sqnr_db(answer(quantized(fp32, IMAGES, target=target).model, IMAGES), answer(fp32, IMAGES)) > 30


def test_hard_swish_runs_in_integers_from_end_to_end(tmp_path: Path) -> None:
    fp32 = _network([node("HardSwish", ["a0"], ["a1"], "act/HardSwish")])
    int8 = quantized(fp32, IMAGES).model
    assert sqnr_db(answer(int8, IMAGES), answer(fp32, IMAGES)) > 30
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "seen.onnx")
    options.log_severity_level = 3
    ort.InferenceSession(int8.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen = Counter(item.op_type for item in onnx.load(tmp_path / "seen.onnx").graph.node)
    assert (seen["QLinearConv"], seen["QLinearAdd"], seen["QLinearMul"], seen["HardSigmoid"]) == (2, 1, 1, 0)
    assert seen["DequantizeLinear"] == 1


def test_on_arm64_the_sum_stands_between_signed_tensors() -> None:
    graph = quantized(_sigmoid(1 / 6, 0.5), IMAGES, target="arm64").model.graph
    total = next(item for item in graph.node if item.op_type == "Add")
    producer = {output: item for item in graph.node for output in item.output}
    assert [producer[name].op_type for name in total.input] == ["DequantizeLinear"] * 2
    assert [item.op_type for item in graph.node if total.output[0] in item.input] == ["QuantizeLinear"]
    kinds = {item.name: item.data_type for item in graph.initializer}
    points = [kinds[item.input[2]] for item in graph.node if item.op_type == "QuantizeLinear"]
    assert set(points) == {onnx.TensorProto.INT8}


def test_one_that_was_chosen_stays_in_float() -> None:
    operators = [item.op_type for item in quantized(_sigmoid(0.2, 0.5), IMAGES, float_layers=["act"]).model.graph.node]
    assert "HardSigmoid" in operators


def test_tensorrt_has_one_of_its_own() -> None:
    operators = [item.op_type for item in quantized(_sigmoid(0.2, 0.5), IMAGES, target="tensorrt").model.graph.node]
    assert "HardSigmoid" in operators
