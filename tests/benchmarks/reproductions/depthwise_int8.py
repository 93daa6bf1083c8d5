"""ONNX Runtime's depthwise convolution of int8 costs time for each pixel, however few channels that has.

    pip install onnx onnxruntime && python tests/benchmarks/reproductions/depthwise_int8.py

With onnxruntime 1.32.0 `QLinearConv` writes, in each call, a pointer for each tap of each pixel of the output before
the kernel runs (core/providers/cpu/quantization/qlinearconv.cc: indirection_buffer), though offsets depend on the shape
alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

LAYERS, SIDE = 20, 28
ROUNDS = 500


def model(channels: int) -> bytes:
    """Return twenty depthwise convolutions of 3x3 in a row, in QDQ form, on maps of 28x28."""
    generator = np.random.default_rng(0)
    made: dict[str, Any] = {"s": np.float32(0.05), "z": np.uint8(128), "t": np.full(channels, 0.003, np.float32)}
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"])]
    last = "q"
    for layer in range(LAYERS):
        made[f"w{layer}"] = generator.integers(-127, 128, (channels, 1, 3, 3)).astype(np.int8)
        inside: dict[str, Any] = {"group": channels, "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}
        nodes += [
            helper.make_node("DequantizeLinear", [last, "s", "z"], [f"x{layer}"]),
            helper.make_node("DequantizeLinear", [f"w{layer}", "t"], [f"k{layer}"], axis=0),
            helper.make_node("Conv", [f"x{layer}", f"k{layer}"], [f"y{layer}"], **inside),
            helper.make_node("QuantizeLinear", [f"y{layer}", "s", "z"], [f"q{layer}"]),
        ]
        last = f"q{layer}"
    nodes.append(helper.make_node("DequantizeLinear", [last, "s", "z"], ["y"]))
    constants = [numpy_helper.from_array(np.array(array), name) for name, array in made.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, SIDE, SIDE]) for name in "xy"]
    graph = helper.make_graph(nodes, "depthwise_int8", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def caller(channels: int) -> Callable[[], Any]:
    """Return what runs the model once, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model(channels), options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(1).normal(0, 2, (1, channels, SIDE, SIDE)).astype(np.float32)
    return partial(session.run, None, {"x": image})


if __name__ == "__main__":
    calls = {channels: caller(channels) for channels in (16, 32, 64, 128)}
    times: dict[int, list[float]] = {channels: [] for channels in calls}
    for _ in range(ROUNDS):
        for channels, call in calls.items():
            begun = time.perf_counter()
            call()
            times[channels].append((time.perf_counter() - begun) / LAYERS * 1e6)
    for channels, found in times.items():
        layer = np.median(found)
        print(f"{channels:4} channels: {layer:5.1f} us a layer, {1000 * layer / SIDE**2:5.1f} ns a pixel")
