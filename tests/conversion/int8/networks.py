"""Small float networks to quantize, without Keras, and how near an answer is to another."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from edgeconv.conversion.int8.feeds import CalibrationFeeds, surveyed
from edgeconv.conversion.int8.measuring import measure
from edgeconv.conversion.int8.quantizing import Quantized, prepare, quantize
from edgeconv.conversion.int8.ranges import ranges_of
from edgeconv.conversion.int8.targets import TARGETS
from tests.conversion.graph.graphs import UINT8, model_of, node


def convnet(*, scaled: bool = False, batch: int | str = "batch", side: int | None = None) -> Any:
    """Return Cast -> [Mul -> Add] -> Transpose -> Conv -> Relu -> MaxPool -> Reshape -> Gemm -> Softmax."""
    rng = np.random.default_rng(0)
    side = side or (6 if scaled else 8)
    inner = side if scaled else side - 2
    flat = 8 * (inner // 2) ** 2
    scaling = [
        node("Mul", ["float", "scale"], ["s"], name="in/Mul"),
        node("Add", ["s", "offset"], ["x"], name="in/Add"),
    ]
    constants = {
        "kernel": rng.normal(size=(8, 3, 3, 3)).astype(np.float32) / (1 if scaled else 127.5),
        "bias": rng.normal(size=8).astype(np.float32),
        "target": np.array([-1, flat]),
        "weights": rng.normal(size=(flat, 5), scale=0.1).astype(np.float32),
        "last": rng.normal(size=5).astype(np.float32),
    }
    scales = {"scale": np.array(1 / 127.5, np.float32), "offset": np.array(-1, np.float32)}
    pads = [1, 1, 1, 1] if scaled else [0, 0, 0, 0]
    nodes = [
        node("Cast", ["image"], ["float"], to=1, name="in/Cast"),
        *(scaling if scaled else []),
        node("Transpose", ["x" if scaled else "float"], ["nchw"], perm=[0, 3, 1, 2], name="conv/Transpose"),
        node("Conv", ["nchw", "kernel", "bias"], ["conv"], pads=pads, name="conv/Conv"),
        node("Relu", ["conv"], ["relu"], name="conv/Relu"),
        node("MaxPool", ["relu"], ["pool"], kernel_shape=[2, 2], strides=[2, 2], name="pool/MaxPool"),
        node("Reshape", ["pool", "target"], ["flat"], name="flat/Reshape"),
        node("Gemm", ["flat", "weights", "last"], ["logits"], name="dense/Gemm"),
        node("Softmax", ["logits"], ["probabilities"], name="dense/Softmax"),
    ]
    return model_of(nodes, constants | (scales if scaled else {}), (batch, side, side, 3), (batch, 5), UINT8)


def residual_net() -> Any:
    """Return Conv -> Relu -> (Conv -> Add with the Relu) -> Relu -> GlobalAveragePool -> Reshape -> Gemm."""
    rng = np.random.default_rng(1)
    kernels = {name: rng.normal(size=(6, inputs, 3, 3), scale=0.3) for name, inputs in (("k1", 3), ("k2", 6))}
    kernels["k1"] /= 127
    constants = {name: array.astype(np.float32) for name, array in kernels.items()}
    constants |= {"w": rng.normal(size=(6, 4)).astype(np.float32), "target": np.array([-1, 6])}
    nodes = [
        node("Cast", ["image"], ["float"], to=1, name="in/Cast"),
        node("Transpose", ["float"], ["nchw"], perm=[0, 3, 1, 2], name="conv1/Transpose"),
        node("Conv", ["nchw", "k1"], ["c1"], pads=[1, 1, 1, 1], name="conv1/Conv"),
        node("Relu", ["c1"], ["r1"], name="conv1/Relu"),
        node("Conv", ["r1", "k2"], ["c2"], pads=[1, 1, 1, 1], name="conv2/Conv"),
        node("Add", ["c2", "r1"], ["sum"], name="add/Add"),
        node("Relu", ["sum"], ["r2"], name="relu/Relu"),
        node("GlobalAveragePool", ["r2"], ["mean"], name="pool/GlobalAveragePool"),
        node("Reshape", ["mean", "target"], ["flat"], name="flat/Reshape"),
        node("Gemm", ["flat", "w"], ["probabilities"], name="dense/Gemm"),
    ]
    return model_of(nodes, constants, ("batch", 8, 8, 3), ("batch", 4), UINT8)


def stream(images: np.ndarray, labels: np.ndarray | None = None) -> CalibrationFeeds:
    """Return an array as calibration images."""
    return surveyed(
        lambda start: ({"image": images[at : at + 7]} for at in range(start, len(images), 7)),
        len(images),
        dataset="test",
        split="train",
        seed=0,
        labels=labels,
    )


def quantized(fp32: Any, images: np.ndarray, target: str = "x86", **options: Any) -> Quantized:
    """Quantize a float model on the extremes of images."""
    prepared = prepare(fp32)
    ranges = ranges_of(measure(prepared, stream(images), histograms=False), "minmax", TARGETS[target])
    return quantize(prepared, ranges, TARGETS[target], **options)


def answer(model: Any, images: np.ndarray, *, exact: bool = True) -> np.ndarray:
    """Check a model and run it; `exact` lets ONNX Runtime recode weights whose products would overflow."""
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", "1" if exact else "0")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": images})[0])


def sqnr_db(answers: np.ndarray, expected: np.ndarray) -> float:
    """Return how far the noise of int8 is below the signal: some 35 dB a layer, below 10 where a scale is wrong."""
    assert np.ptp(expected) > 0.5, "a constant answer proves nothing"
    return float(10 * np.log10(np.square(expected).sum() / np.square(answers - expected).sum()))
