"""Borders around int8 maps, added as integers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.int8.pads import pad_integers  # noqa: E402
from tests.conversion.graph.graphs import UINT8, model_of, node  # noqa: E402
from tests.conversion.graph.rewriting import answers, changed, graph_of, random  # noqa: E402
from tests.conversion.int8.networks import answer, quantized, sqnr_db  # noqa: E402

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 3, 10, 10), dtype=np.uint8)
AROUND = np.array([0, 0, 1, 1, 0, 0, 2, 1])


def padded(**attributes: Any) -> Any:
    """Return Conv -> Pad -> MaxPool -> Conv, as ResNetV2 begins: what is padded may be negative."""
    rng = np.random.default_rng(1)
    constants = {
        "k1": (rng.normal(size=(16, 3, 1, 1)) / 60).astype(np.float32),
        "k2": rng.normal(size=(4, 16, 1, 1)).astype(np.float32),
        "around": AROUND,
    }
    nodes = [
        node("Cast", ["image"], ["x"], "in/Cast", to=1),
        node("Conv", ["x", "k1"], ["a"], "first/Conv"),
        node("Pad", ["a", "around"], ["b"], "pad/Pad", **attributes),
        node("MaxPool", ["b"], ["c"], "pool/MaxPool", kernel_shape=[3, 3]),
        node("Conv", ["c", "k2"], ["probabilities"], "second/Conv"),
    ]
    return model_of(nodes, constants, ("batch", 3, 10, 10), ("batch", 4, 11, 10), UINT8)


def of_pad(model: Any) -> Any:
    (found,) = [item for item in model.graph.node if item.op_type == "Pad"]
    return found


def reads_integers(model: Any) -> bool:
    makers = {name: item.op_type for item in model.graph.node for name in item.output}
    return makers[of_pad(model).input[0]] == "QuantizeLinear"


@pytest.mark.parametrize("target", ["x86", "arm64"])
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect"])
def test_a_border_is_added_to_the_integers(mode: str, target: str) -> None:
    fp32 = padded(mode=mode)
    int8 = quantized(fp32, IMAGES, target=target).model
    assert reads_integers(int8)
    assert sqnr_db(answer(int8, IMAGES), answer(fp32, IMAGES)) > 30


def test_maps_stay_channels_last_around_a_border(tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "seen.onnx"), 3
    int8 = quantized(padded(), IMAGES).model
    ort.InferenceSession(int8.SerializeToString(), options, providers=["CPUExecutionProvider"])
    seen = Counter(item.op_type for item in onnx.load(tmp_path / "seen.onnx").graph.node)
    assert (seen["QLinearConv"], seen["NhwcMaxPool"], seen["Transpose"], seen["DequantizeLinear"]) == (2, 1, 2, 1)


def between_pairs(value: str = "", scale: str = "s", **attributes: Any) -> Any:
    """Return Q -> DQ -> Pad -> Q -> DQ."""
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["1"]),
        node("DequantizeLinear", ["1", "s", "z"], ["2"]),
        node("DequantizeLinear", ["z", "s", "z"], ["zero_in_pairs"]),
        node("Pad", ["2", "around", value], ["3"], **attributes),
        node("QuantizeLinear", ["3", scale, "z"], ["4"]),
        node("DequantizeLinear", ["4", scale, "z"], ["y"]),
    ]
    constants = {"s": np.float32(0.05), "wider": np.float32(0.1), "z": np.uint8(100), "around": AROUND}
    constants |= {"zero": np.float32(0), "one": np.float32(1)}
    return graph_of(nodes, {name: np.array(array) for name, array in constants.items()}, {"x": ["batch", 2, 6, 5]})


@pytest.mark.parametrize(
    "before",
    [
        between_pairs(),
        between_pairs("zero"),
        between_pairs("zero_in_pairs"),
        between_pairs("one", mode="reflect"),
    ],
    ids=["no number", "zero", "zero in int8", "reflect"],
)
def test_answers_are_the_same_to_the_bit(before: Any) -> None:
    count, after = changed(pad_integers, before)
    assert count == 1
    x = random(3, 2, 6, 5)
    (expected,), (found,) = answers(before, {"x": x}), answers(after, {"x": x})
    assert np.ptp(expected) > 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "before",
    [between_pairs("one"), between_pairs("zero", "wider"), between_pairs("x")],
    ids=["another number", "another scale", "a number of the caller's"],
)
def test_other_borders_stay_in_float(before: Any) -> None:
    assert changed(pad_integers, before)[0] == 0


@pytest.mark.parametrize("target", ["qnn", "tensorrt"])
def test_other_runtimes_get_the_border_in_float(target: str) -> None:
    fp32 = padded(mode="edge")
    assert not reads_integers(quantized(fp32, IMAGES, target=target).model)
