from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper

from edgeconv.conversion.graph.reading import read_model
from edgeconv.errors import ArtifactError


@pytest.mark.parametrize(
    ("node", "received"),
    [
        (helper.make_node("MatMul", ["x", "x"], [], name="product"), "MatMul `product` with 2 inputs and 0 outputs"),
        (helper.make_node("Gemm", ["x"], ["y"], name="product"), "Gemm `product` with 1 inputs and 1 outputs"),
        (helper.make_node("DequantizeLinear", [], ["y"], domain="com.microsoft"), "DequantizeLinear `` with 0 inputs"),
    ],
)
def test_a_node_without_its_inputs_or_outputs_is_named(tmp_path: Path, node: onnx.NodeProto, received: str) -> None:
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (2, 2)) for name in ("x", "y")]
    onnx.save(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:])), tmp_path / "model.onnx")
    with pytest.raises(ArtifactError, match=rf"must give each node its inputs and outputs\. Received: {received}"):
        read_model(tmp_path / "model.onnx")
