"""Branches in the graph: one of two runs, reads what lies around it, and nothing leaks out of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnx_ir as ir  # noqa: E402
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.embedding.control import choose  # noqa: E402
from edgeconv.conversion.embedding.recording import Recorder  # noqa: E402
from edgeconv.conversion.embedding.tensors import FLOAT, Tensor  # noqa: E402


def _model(write: Callable[[Tensor], Tensor]) -> onnx.ModelProto:
    """Write operators on a list of numbers down, and check the graph."""
    recorder = Recorder()
    source = ir.Value(name="numbers", type=ir.TensorType(FLOAT), shape=ir.Shape(["count"]))
    made = write(Tensor(source, FLOAT, recorder)).value
    made.type, made.shape = ir.TensorType(FLOAT), ir.Shape(["made"])
    graph = ir.Graph(
        [source],
        [made],
        nodes=recorder.tape.nodes,
        initializers=recorder.constants,
        opset_imports={"": 17},
        name="branches",
    )
    model = ir.to_proto(ir.Model(graph, ir_version=8))
    onnx.checker.check_model(model, full_check=True)
    return model


def _run(write: Callable[[Tensor], Tensor], numbers: list[float]) -> NDArray[np.float32]:
    session = ort.InferenceSession(_model(write).SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"numbers": np.array(numbers, np.float32)})[0])


def _halved_if_positive(numbers: Tensor) -> Tensor:
    return choose(numbers.sum() > 0.5, lambda: [numbers * 0.5], lambda: [numbers + 0.5], ("half", "more"))[0]


def test_one_of_two_branches_runs() -> None:
    assert _run(_halved_if_positive, [1, 3]).tolist() == [0.5, 1.5]
    assert _run(_halved_if_positive, [-1, 0]).tolist() == [-0.5, 0.5]


def test_a_branch_may_give_back_what_lies_around_it() -> None:
    def write(numbers: Tensor) -> Tensor:
        return choose(numbers.sum() > 0, lambda: [numbers], lambda: [-numbers], ("as_it_is", "turned"))[0]

    assert _run(write, [1, 3]).tolist() == [1, 3]
    assert _run(write, [-1, -3]).tolist() == [1, 3]


def test_a_node_of_a_branch_is_written_again_outside() -> None:
    def write(numbers: Tensor) -> Tensor:
        squares = choose(numbers.sum() > 0, lambda: [numbers * numbers], lambda: [numbers + 1], ("squares", "next"))[0]
        return squares + numbers * numbers

    assert _run(write, [3]).tolist() == [18]


def test_each_graph_has_its_own_constants() -> None:
    model = _model(_halved_if_positive)
    (chosen,) = (node for node in model.graph.node if node.op_type == "If")
    graphs = [model.graph, *(attribute.g for attribute in chosen.attribute)]
    held = [[onnx.numpy_helper.to_array(entry).tolist() for entry in graph.initializer] for graph in graphs]
    assert held == [[0.5], [0.5], [0.5]]
