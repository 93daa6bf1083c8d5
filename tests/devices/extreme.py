"""A model whose int8 sums overflow where two products are added in 16 bits, so far that its answer turns."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edgeconv.manifest import ArraySpec, Manifest, Variant
from tests.manifests import quantization

PIXELS = 64
WHITE = np.full((1, PIXELS), 255, np.uint8)
"""The image: class 0 is right, by 514,080 to 163,200."""

STRONG = np.repeat([[127, 127, -64, -64]], PIXELS // 4, axis=0).ravel()
"""Weights of class 0. A pair of the largest, 2 x 127 x 255, is 64,770; 16 bits leave 32,767, and of the sum 2,032."""

STEADY = np.full(PIXELS, 10)
"""Weights of class 1. No pair of them overflows."""


def extreme_model(*, reduce_range: bool) -> onnx.ModelProto:
    """Return a dense layer in QDQ: uint8 pixels, symmetric int8 weights of 8 bits, or of 7 with `reduce_range`."""
    bits_left = 2 if reduce_range else 1
    weights = np.stack([STRONG, STEADY], axis=1) // bits_left
    constants = {
        "pixel_scale": np.float32(1 / 255),
        "pixel_zero": np.uint8(0),
        "weights": weights.astype(np.int8),
        "weight_scale": np.float32(bits_left / 127),
        "weight_zero": np.int8(0),
        "score_scale": np.float32(0.1),
        "score_zero": np.uint8(0),
    }
    nodes = [
        helper.make_node("DequantizeLinear", ["image", "pixel_scale", "pixel_zero"], ["pixels"]),
        helper.make_node("DequantizeLinear", ["weights", "weight_scale", "weight_zero"], ["real_weights"]),
        helper.make_node("MatMul", ["pixels", "real_weights"], ["sums"]),
        helper.make_node("QuantizeLinear", ["sums", "score_scale", "score_zero"], ["quantized"]),
        helper.make_node("DequantizeLinear", ["quantized", "score_scale", "score_zero"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "extreme",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", PIXELS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_extreme(folder: Path, *, reduce_range: bool = False) -> Path:
    """Write the model as an artifact, without figures and samples."""
    (folder / "model.int8.onnx").write_bytes(extreme_model(reduce_range=reduce_range).SerializeToString())
    manifest = Manifest(
        name="extreme",
        input=ArraySpec("image", "uint8", ("batch", PIXELS), (0.0, 255.0), "tensor"),
        preprocess=None,
        output=ArraySpec("scores", "float32", ("batch", 2), None, "logits"),
        labels=("strong", "steady"),
        variants={"int8": Variant("model.int8.onnx", 17, 8, replace(quantization(), reduce_range=reduce_range))},
    )
    (folder / "manifest.json").write_text(json.dumps(manifest.as_dict()))
    return folder
