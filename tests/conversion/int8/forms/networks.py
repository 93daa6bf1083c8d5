"""Networks in QDQ form, of random integers, that fill their ranges: equal floats out of them are equal integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import open_session

UINT8, INT8, FLOAT = onnx.TensorProto.UINT8, onnx.TensorProto.INT8, onnx.TensorProto.FLOAT
LAST_TO_FIRST = [0, 3, 1, 2]


class Network:
    """Writes a QDQ graph node by node; methods take and return names of integer tensors."""

    def __init__(self, seed: int, shape: Sequence[int], *, dtype: type = np.uint8) -> None:
        self.random = np.random.default_rng(seed)
        self.shape = tuple(shape)
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self.scales: dict[str, tuple[str, str]] = {}
        self.channels = {"pixels": shape[-1]}
        self.pixels = self.node("Transpose", ["image"], perm=LAST_TO_FIRST)
        self.channels[self.pixels] = shape[-1]
        self.scales[self.pixels] = self.scale(1.0, 0)

    def constant(self, array: Any) -> str:
        name = f"constant{len(self.constants)}"
        self.constants[name] = np.asarray(array)
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        name = f"layer{len(self.nodes)}/{operator}"
        self.nodes.append(onnx.helper.make_node(operator, inputs, [f"{name}:0"], name, **attributes))
        return f"{name}:0"

    def scale(self, scale: float, zero_point: int) -> tuple[str, str]:
        return self.constant(np.float32(scale)), self.constant(self.dtype(zero_point))

    def read(self, value: str) -> str:
        return self.node("DequantizeLinear", [value, *self.scales[value]])

    def write(self, value: str, scale: tuple[str, str], channels: int) -> str:
        result = self.node("QuantizeLinear", [value, *scale])
        self.scales[result], self.channels[result] = scale, channels
        return result

    def _weights(self, shape: Sequence[int], axis: int, read: str, bits: int) -> tuple[str, str, NDArray[np.float32]]:
        """Return weights and bias, dequantized, and the scales of the weights."""
        top = 2 ** (bits - 1) - 1
        outputs = shape[axis]
        scales = self.random.uniform(0.001, 0.01, outputs).astype(np.float32)
        integers = self.random.integers(-top, top, shape, np.int8, endpoint=True)
        zeros = np.zeros(outputs, np.int8)
        weights = self.node(
            "DequantizeLinear",
            [self.constant(integers), self.constant(scales), self.constant(zeros)],
            axis=axis,
        )
        of_read = self.constants[self.scales[read][0]]
        bias = self.node(
            "DequantizeLinear",
            [
                self.constant(self.random.integers(-9000, 9000, outputs, np.int32)),
                self.constant(of_read * scales),
                self.constant(np.zeros(outputs, np.int32)),
            ],
            axis=0,
        )
        return weights, bias, scales

    def convolution(
        self,
        value: str,
        outputs: int,
        kernel: tuple[int, int] = (3, 3),
        strides: tuple[int, int] = (1, 1),
        pads: tuple[int, int, int, int] = (0, 0, 0, 0),
        groups: int = 1,
        activation: str | None = None,
        zero_point: int | None = None,
        bits: int = 8,
        dilations: tuple[int, int] = (1, 1),
    ) -> str:
        channels = self.channels[value] // groups
        weights, bias, scales = self._weights((outputs, channels, *kernel), 0, value, bits)
        result = self.node(
            "Conv", [self.read(value), weights, bias],
            kernel_shape=kernel, strides=strides, pads=pads, group=groups, dilations=dilations,
        )  # fmt: skip
        if activation == "Relu":
            result = self.node("Relu", [result])
        spread = np.sqrt(channels * kernel[0] * kernel[1]) * 2 ** (bits - 1) * 80
        step = float(self.constants[self.scales[value][0]] * scales.mean() * spread / 60)
        if activation == "Clip":
            result = self.node("Clip", [result, self.constant(np.float32(0)), self.constant(np.float32(step * 255.4))])
        if zero_point is None:
            zero_point = int(np.iinfo(self.dtype).min) if activation else int(np.iinfo(self.dtype).min) + 113
        return self.write(result, self.scale(step, zero_point), outputs)

    def max_pool(self, value: str, window: Sequence[int] = (2, 2), **attributes: Any) -> str:
        attributes.setdefault("strides", window)
        pooled = self.node("MaxPool", [self.read(value)], kernel_shape=window, **attributes)
        return self.write(pooled, self.scales[value], self.channels[value])

    def pool(self, operator: str, value: str, factor: float = 0.5, **attributes: Any) -> str:
        pooled = self.node(operator, [self.read(value)], **attributes)
        scale, zero_point = (self.constants[name] for name in self.scales[value])
        return self.write(pooled, self.scale(scale * factor, zero_point), self.channels[value])

    def join(self, operator: str, values: Sequence[str], **attributes: Any) -> str:
        joined = self.node(operator, [self.read(value) for value in values], **attributes)
        scales = [self.constants[self.scales[value][0]] for value in values]
        channels = sum(self.channels[value] for value in values) if operator == "Concat" else self.channels[values[0]]
        step = np.prod(scales) * 100 if operator == "Mul" else max(scales) * 1.5
        return self.write(joined, self.scale(step, int(np.iinfo(self.dtype).min) + 90), channels)

    def flatten(self, value: str, length: int, *, integers: bool = False, operator: str = "Reshape") -> str:
        shape = [self.constant(np.array([-1, length]))] if operator == "Reshape" else []
        if integers:
            result = self.node(operator, [value, *shape])
            self.scales[result], self.channels[result] = self.scales[value], length
            return result
        return self.write(self.node(operator, [self.read(value), *shape]), self.scales[value], length)

    def dense(self, value: str, outputs: int, *, quantized: bool = True, transposed: bool = False) -> str:
        inputs = self.channels[value]
        shape = (outputs, inputs) if transposed else (inputs, outputs)
        weights, bias, scales = self._weights(shape, 0 if transposed else 1, value, 8)
        result = self.node("Gemm", [self.read(value), weights, bias], **({"transB": 1} if transposed else {}))
        if not quantized:
            return result
        step = float(self.constants[self.scales[value][0]] * scales.mean() * np.sqrt(inputs) * 128)
        return self.write(result, self.scale(step, int(np.iinfo(self.dtype).min) + 120), outputs)

    def model(self, *results: str, read: bool = True) -> onnx.ModelProto:
        outputs = [self.read(result) if read else result for result in results]
        graph = onnx.helper.make_graph(
            self.nodes,
            "test",
            [onnx.helper.make_tensor_value_info("image", UINT8 if self.dtype is np.uint8 else INT8, self.shape)],
            [onnx.helper.make_tensor_value_info(output, FLOAT, None) for output in outputs],
            [onnx.numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        opsets = [onnx.helper.make_opsetid("", 17)]
        return onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="test")

    def images(self, batch: int = 2) -> dict[str, NDArray[Any]]:
        limits = np.iinfo(self.dtype)
        size = (batch, *self.shape[1:])
        return {"image": self.random.integers(limits.min, limits.max, size, self.dtype, endpoint=True)}


def answers(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
    found: list[NDArray[np.float32]] = open_session(model.SerializeToString(), CPU, 1).run(None, feeds)
    return found


def operators(model: onnx.ModelProto) -> list[str]:
    """Return the operators of a model, without what only translates."""
    return [node.op_type for node in model.graph.node if node.op_type not in {"QuantizeLinear", "DequantizeLinear"}]


def assert_equal_integers(
    one: onnx.ModelProto, other: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]], *, distinct: int = 20
) -> None:
    """Check that two models give bit-equal floats, which are not all the same few."""
    expected = answers(one, feeds)
    found = answers(other, feeds)
    for right, got in zip(expected, found, strict=True):
        assert right.shape == got.shape
        assert len(np.unique(right)) >= min(distinct, right.size // 8)
        np.testing.assert_array_equal(got, right)
