"""Blocks of columns are pooled as bytes with the same answers to the bit, where nothing is rounded in between."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnx_ir as ir  # noqa: E402
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.embedding.pooling import pool_blocks_as_bytes  # noqa: E402

MAPS = np.random.default_rng(0).integers(0, 256, (1, 12, 5, 3), np.uint8)
"""Four columns a block, of three channels each."""


def _pooled(scale_behind: float, columns: int = 4) -> onnx.ModelProto:
    """Return the operators that `conversion.int8.forms` writes for a pool of blocks."""
    helper, types = onnx.helper, onnx.TensorProto
    constants = {
        "shape": np.array([-1, 5, 12, 3]),
        "scale": np.float32(0.5),
        "behind": np.float32(scale_behind),
        "zero": np.uint8(3),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Transpose", ["maps"], ["pixels"], "first", perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", ["pixels", "shape"], ["apart"], "apart"),
            helper.make_node("Transpose", ["apart"], ["turned"], "turned", perm=[0, 3, 1, 2]),
            helper.make_node("DequantizeLinear", ["turned", "scale", "zero"], ["floats"], "dq"),
            helper.make_node("MaxPool", ["floats"], ["largest"], "pool", kernel_shape=[1, columns], strides=[1, 4]),
            helper.make_node("QuantizeLinear", ["largest", "behind", "zero"], ["bytes"], "q"),
            helper.make_node("Transpose", ["bytes"], ["pooled"], "back", perm=[0, 2, 3, 1]),
        ],
        "pool",
        [helper.make_tensor_value_info("maps", types.UINT8, list(MAPS.shape))],
        [helper.make_tensor_value_info("pooled", types.UINT8, [1, 5, 3, 3])],
        [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _rewritten(model: onnx.ModelProto) -> onnx.ModelProto:
    whole = ir.from_proto(model)
    pool_blocks_as_bytes(whole.graph)
    return ir.to_proto(whole)


def _answer(model: onnx.ModelProto) -> NDArray[np.uint8]:
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"maps": MAPS})[0])


def test_the_answers_are_the_same() -> None:
    model = _pooled(0.5)
    made = _rewritten(model)
    assert [node.op_type for node in made.graph.node] == ["Reshape", "ReduceMax", "Transpose"]
    assert np.array_equal(_answer(made), _answer(model))


@pytest.mark.parametrize(("scale_behind", "columns"), [(0.25, 4), (0.5, 3)])
def test_what_rounds_or_skips_columns_is_left(scale_behind: float, columns: int) -> None:
    model = _pooled(scale_behind, columns)
    assert [node.op_type for node in _rewritten(model).graph.node] == [node.op_type for node in model.graph.node]
