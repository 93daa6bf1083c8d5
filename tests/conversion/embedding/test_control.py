"""Loops in the graph: what is carried may grow, a round reads what lies around it, and nothing leaks out of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
import onnx_ir as ir  # noqa: E402
import onnxruntime as ort  # noqa: E402

from edgeconv.conversion.embedding.control import repeat  # noqa: E402
from edgeconv.conversion.embedding.recording import Recorder  # noqa: E402
from edgeconv.conversion.embedding.tensors import FLOAT, Tensor, join  # noqa: E402


def _run(write: Callable[[Tensor], Tensor], numbers: list[float]) -> NDArray[np.float32]:
    """Write operators on a list of numbers down, check the graph and run it."""
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
        name="loop",
    )
    model = ir.to_proto(ir.Model(graph, ir_version=8))
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"numbers": np.array(numbers, np.float32)})[0])


def test_it_runs_as_often_as_it_is_told() -> None:
    made = _run(lambda numbers: repeat("add", 3, lambda sums: [sums + numbers], numbers)[0], [1, 10])
    assert made.tolist() == [4, 40]


def test_it_stops_early_and_what_is_carried_may_grow() -> None:
    def double(numbers: Tensor) -> list[Tensor]:
        return [join([numbers, numbers])]

    made = _run(lambda numbers: repeat("grow", 9, double, numbers, again=lambda made: made.size(0) < 7)[0], [1, 2])
    assert made.tolist() == [1, 2] * 4


def test_what_is_carried_can_change_places() -> None:
    def swap(one: Tensor, other: Tensor) -> list[Tensor]:
        return [other, one]

    made = _run(lambda numbers: join(repeat("swap", 3, swap, numbers, numbers * 2)), [1])
    assert made.tolist() == [2, 1]


def test_a_node_of_a_round_is_written_again_outside() -> None:
    def write(numbers: Tensor) -> Tensor:
        return repeat("square", 2, lambda sums: [sums + numbers * numbers], numbers)[0] + numbers * numbers

    assert _run(write, [3]).tolist() == [30]
