"""Graphs before and after a pass, and whether they answer alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgeconv.conversion.graph.editing import infer_shapes
from tests.conversion.randomness import RNG

node = onnx.helper.make_node
Shape = Sequence[int | str]


def random(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape).astype(np.float32)


def graph_of(
    nodes: list[Any],
    constants: dict[str, np.ndarray],
    inputs: dict[str, Shape],
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    input_type: int = onnx.TensorProto.FLOAT,
) -> Any:
    """Return a model whose outputs have the shapes that are inferred."""
    helper = onnx.helper
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, input_type, shape) for name, shape in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model, data_prop=True)


def changed(change: Callable[[ir.Model], int], before: Any) -> tuple[int, Any]:
    """Return how many changes a pass made, and the model after it."""
    model = ir.from_proto(before)
    infer_shapes(model)
    count = change(model)
    RemoveUnusedNodesPass()(model)
    return count, ir.to_proto(model)


def operators(model: Any) -> list[str]:
    return [item.op_type for item in model.graph.node]


def constants_of(model: Any) -> dict[str, np.ndarray]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def answers(model: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(answer) for answer in session.run(None, feeds)]


def assert_same(before: Any, after: Any, **feeds: np.ndarray) -> None:
    """Check that two models answer alike, without ONNX Runtime's own passes."""
    expected, found = answers(before, feeds), answers(after, feeds)
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        spread = np.ptp(one.astype(np.float64))
        assert spread > 0.1, "a constant answer proves nothing"
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(other, one, atol=1e-5 * spread, rtol=0)
