"""ONNX graphs to look into, without Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

FLOAT, UINT8 = onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8
node = onnx.helper.make_node


def model_of(
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    input_shape: tuple[int | str, ...],
    output_shape: tuple[int | str, ...],
    input_type: int = FLOAT,
    domains: tuple[str, ...] = (),
) -> Any:
    graph = onnx.helper.make_graph(
        nodes,
        "test",
        [onnx.helper.make_tensor_value_info("image", input_type, input_shape)],
        [onnx.helper.make_tensor_value_info("probabilities", FLOAT, output_shape)],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opsets = [onnx.helper.make_opsetid("", 17), *(onnx.helper.make_opsetid(domain, 1) for domain in domains)]
    return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="test")


def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return np.zeros(shape, dtype)


def book_convnet() -> Any:
    """The book's convnet for MNIST as its fp32 file has it: 93,322 parameters."""
    return model_of(
        [
            node("Cast", ["image"], ["x"], "input/Cast", to=FLOAT),
            node("Reshape", ["x", "s0"], ["x0"], "conv2d/Reshape"),
            node("Conv", ["x0", "k1", "b1"], ["x1"], "conv2d/Conv"),
            node("Relu", ["x1"], ["x2"], "conv2d/Relu"),
            node("MaxPool", ["x2"], ["x3"], "max_pooling2d/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", ["x3", "k2", "b2"], ["x4"], "conv2d_1/Conv"),
            node("MaxPool", ["x4"], ["x5"], "max_pooling2d_1/MaxPool", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", ["x5", "k3", "b3"], ["x6"], "conv2d_2/Conv"),
            node("Reshape", ["x6", "s1"], ["x7"], "flatten/Reshape"),
            node("Gemm", ["x7", "k4", "b4"], ["x8"], "dense/Gemm"),
            node("Gemm", ["x8", "k5", "b5"], ["x9"], "dense_1/Gemm"),
            node("Softmax", ["x9"], ["probabilities"], "dense_1/Softmax"),
        ],
        {
            "s0": np.array([-1, 1, 28, 28]),
            "s1": np.array([-1, 576]),
            "k1": zeros(32, 1, 3, 3),
            "b1": zeros(32),
            "k2": zeros(64, 32, 3, 3),
            "b2": zeros(64),
            "k3": zeros(64, 64, 3, 3),
            "b3": zeros(64),
            "k4": zeros(576, 64),
            "b4": zeros(64),
            "k5": zeros(64, 10),
            "b5": zeros(10),
        },
        ("batch", 28, 28, 1),
        ("batch", 10),
        UINT8,
    )


def int8_model() -> Any:
    """Pixels -> Conv -> Relu -> Gemm -> Softmax in QDQ form; the Gemm's output stays float."""
    scale, zero, zero8 = np.float32(0.5), np.uint8(0), np.int8(0)
    return model_of(
        [
            node("DequantizeLinear", ["k1", "scale", "zero8"], ["k1f"], "conv/DequantizeLinear"),
            node("DequantizeLinear", ["b1", "scale"], ["b1f"], "conv/DequantizeLinear_2"),
            node("DequantizeLinear", ["k2", "scale", "zero8"], ["k2f"], "dense/DequantizeLinear"),
            node("Reshape", ["image", "s0"], ["x0"], "conv/Reshape"),
            node("DequantizeLinear", ["x0", "scale", "zero"], ["x1"], "conv/DequantizeLinear_3"),
            node("Conv", ["x1", "k1f", "b1f"], ["x2"], "conv/Conv"),
            node("Relu", ["x2"], ["x3"], "conv/Relu"),
            node("QuantizeLinear", ["x3", "scale", "zero"], ["x4"], "conv/QuantizeLinear"),
            node("DequantizeLinear", ["x4", "scale", "zero"], ["x5"], "conv/DequantizeLinear_4"),
            node("Flatten", ["x5"], ["x6"], "flatten/Flatten"),
            node("QuantizeLinear", ["x6", "scale", "zero"], ["x7"], "flatten/QuantizeLinear"),
            node("DequantizeLinear", ["x7", "scale", "zero"], ["x8"], "flatten/DequantizeLinear"),
            node("Gemm", ["x8", "k2f"], ["x9"], "dense/Gemm"),
            node("Softmax", ["x9"], ["probabilities"], "dense/Softmax"),
        ],
        {
            "s0": np.array([-1, 1, 4, 4]),
            "k1": zeros(2, 1, 3, 3, dtype=np.int8),
            "b1": zeros(2, dtype=np.int32),
            "k2": zeros(8, 3, dtype=np.int8),
            "scale": np.array(scale),
            "zero": np.array(zero),
            "zero8": np.array(zero8),
        },
        ("batch", 4, 4, 1),
        ("batch", 3),
        UINT8,
    )
