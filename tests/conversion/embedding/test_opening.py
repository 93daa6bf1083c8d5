"""What ONNX Runtime does with a whole model when it opens it: each change makes it look through all nodes once more."""

from __future__ import annotations

from pathlib import Path

import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.embedding.composition import embed  # noqa: E402
from edgeconv.preparation import Preparation  # noqa: E402
from edgeconv.runtime.loading import reference_model  # noqa: E402

LEVELS = ort.GraphOptimizationLevel
MOST_NODES = 620
"""Each takes 50 us to open."""


@pytest.fixture(scope="module")
def whole() -> onnx.ModelProto:
    folder = reference_model()
    if folder is None:
        pytest.skip("the reference model is not there")
    return embed(onnx.load(folder / "model.int8.onnx"), Preparation("digit", 28, 28, 1))


def _nodes(graph: onnx.GraphProto) -> dict[str, tuple[str, list[str]]]:
    """Return operator and inputs of each node by its name, inside of branches too."""
    found = {node.name: (node.op_type, list(node.input)) for node in graph.node}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found |= _nodes(attribute.g)
    return found


def _opened(model: onnx.ModelProto, level: ort.GraphOptimizationLevel, file: Path) -> onnx.GraphProto:
    """Return the graph that runs."""
    options = ort.SessionOptions()
    options.graph_optimization_level, options.optimized_model_filepath = level, str(file)
    options.log_severity_level = 4
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(file).graph


def test_nothing_is_left_for_the_exact_rewrites(whole: onnx.ModelProto, tmp_path: Path) -> None:
    opened = _opened(whole, LEVELS.ORT_ENABLE_BASIC, tmp_path / "basic.onnx")
    assert _nodes(opened) == _nodes(whole.graph)
    assert {entry.name for entry in opened.initializer} == {entry.name for entry in whole.graph.initializer}


def test_only_the_network_is_fused(whole: onnx.ModelProto, tmp_path: Path) -> None:
    written = _nodes(whole.graph)
    opened = _nodes(_opened(whole, LEVELS.ORT_ENABLE_ALL, tmp_path / "all.onnx"))
    changed = {name for name in written.keys() | opened.keys() if written.get(name) != opened.get(name)}
    assert changed, "the fusions of int8 did not run"
    assert not [name for name in changed if name.startswith("preparation/")]


def test_the_nodes_are_few(whole: onnx.ModelProto) -> None:
    assert len(_nodes(whole.graph)) <= MOST_NODES


def test_equal_scales_are_one_constant(whole: onnx.ModelProto) -> None:
    kept = [entry for entry in whole.graph.initializer if not entry.dims and entry.data_type == onnx.TensorProto.FLOAT]
    numbers = [onnx.numpy_helper.to_array(entry).item() for entry in kept]
    assert len(numbers) == len(set(numbers)) > 1
