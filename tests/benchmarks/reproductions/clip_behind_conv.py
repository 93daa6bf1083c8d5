"""A Clip that ONNX Runtime fuses into a convolution costs it a second pass over the map; a Relu costs nothing.

    pip install onnx onnxruntime && python tests/benchmarks/reproductions/clip_behind_conv.py

With onnxruntime 1.32.0 on x86 the kernels for blocked channels (onnxruntime/core/mlas/lib/snchwc.cpp) compute a Relu
before they store a sum. Any other activation reads the stored sums again (activate.cpp), four at a time where AVX-512
takes sixteen. ReLU6, the activation of MobileNetV1 and V2, is a Clip.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

BLOCKS, SIDE, NARROW, WIDE = 10, 28, 16, 64
ROUNDS, CALLS = 100, 10


def model(activation: str) -> bytes:
    """Return ten times: a convolution of 1x1 from 16 to 64 channels, an activation or none, and one back to 16."""
    generator = np.random.default_rng(0)
    bounds = {"zero": 0.0, "six": 6.0} if activation == "Clip" else {}
    constants = [numpy_helper.from_array(np.array(bound, np.float32), name) for name, bound in bounds.items()]
    nodes, last = [], "x"
    for block in range(BLOCKS):
        for name, outputs, inputs in (("up", WIDE, NARROW), ("down", NARROW, WIDE)):
            kernel = generator.normal(0, inputs**-0.5, (outputs, inputs, 1, 1)).astype(np.float32)
            constants.append(numpy_helper.from_array(kernel, f"k{block}{name}"))
            nodes.append(helper.make_node("Conv", [last, f"k{block}{name}"], [f"{name}{block}"]))
            last = f"{name}{block}"
            if name == "up" and activation:
                nodes.append(helper.make_node(activation, [last, *bounds], [f"act{block}"]))
                last = f"act{block}"
    shape = [1, NARROW, SIDE, SIDE]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", last)]
    graph = helper.make_graph(nodes, "clip_behind_conv", ends[:1], ends[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def caller(activation: str) -> Callable[[], Any]:
    """Return what runs the model once, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model(activation), options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(1).normal(0, 1, (1, NARROW, SIDE, SIDE)).astype(np.float32)
    return partial(session.run, None, {"x": image})


if __name__ == "__main__":
    calls = {activation or "none": caller(activation) for activation in ("", "Relu", "Clip")}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(CALLS):
                call()
            times[name].append((time.perf_counter() - begun) / CALLS / BLOCKS * 1e6)
    for name, found in times.items():
        print(f"{name}: {np.median(found):.1f} us a block")
