"""A fault of ONNX Runtime's WebGPU plugin in a small graph; `model.e2e.onnx` is written so that it does not meet it.

    pip install onnx onnxruntime onnxruntime-ep-webgpu && python tests/providers/constant_in_branch.py

With onnxruntime 1.32.0 and onnxruntime-ep-webgpu 0.4.0 a node inside a branch or a loop does not get a constant of the
graph around it that a node on the CPU reads as well: `All inputs must be tensors on WebGPU buffers`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper


def model() -> bytes:
    """Return a model that takes the fifth of its numbers in a branch, where there are not just four of them."""
    node, value = helper.make_node, helper.make_tensor_value_info
    four = numpy_helper.from_array(np.array(4), "four")
    picked = [node("Gather", ["x", "four"], ["picked"])]
    summed = [node("ReduceSum", ["x"], ["summed"], keepdims=0)]
    branches = {
        "then_branch": helper.make_graph(summed, "sum", [], [value("summed", TensorProto.FLOAT, [])]),
        "else_branch": helper.make_graph(picked, "pick", [], [value("picked", TensorProto.FLOAT, [])]),
    }
    nodes = [
        node("Size", ["x"], ["length"]),
        node("Equal", ["length", "four"], ["is_four"]),  # the plugin leaves sizes to the CPU
        node("If", ["is_four"], ["y"], **branches),
    ]
    inputs, outputs = [value("x", TensorProto.FLOAT, ["n"])], [value("y", TensorProto.FLOAT, [])]
    graph = helper.make_graph(nodes, "constant_in_branch", inputs, outputs, [four])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def run(devices: list[Any]) -> str:
    """Return the answer to 0, 1, 2 ... on devices of a plugin, or on the CPU; or the error."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    if devices:
        options.add_provider_for_devices(devices[:1], {})
    try:
        session = ort.InferenceSession(model(), options)
        return str(session.run(None, {"x": np.arange(16, dtype=np.float32)})[0])
    except Exception as error:  # ONNX Runtime's exceptions share no base class.
        return str(error)[-60:].strip()


if __name__ == "__main__":
    import onnxruntime_ep_webgpu as webgpu

    ort.register_execution_provider_library("webgpu", webgpu.get_library_path())
    print("CPU:   ", run([]))
    print("WebGPU:", run([device for device in ort.get_ep_devices() if device.ep_name == webgpu.get_ep_name()]))
