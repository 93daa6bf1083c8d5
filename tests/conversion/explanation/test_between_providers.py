"""The first node that two providers answer differently; one of them is the CPU, told to compute a node wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.conversion.explanation.between_providers import first_difference  # noqa: E402
from edgeconv.errors import InferenceError  # noqa: E402
from tests.conversion.graph.graphs import model_of, node  # noqa: E402

X = np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)


def _run(part: bytes, names: Sequence[str], feeds: Mapping[str, Any]) -> dict[str, Any]:
    session = ort.InferenceSession(part, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(list(names), dict(feeds)), strict=True))


def _wrong_at(operator: str, *, fails: bool = False) -> Any:
    """Return a provider that spoils what an operator makes, or fails at it, wherever it stands."""

    def spoil(graph: Any) -> None:
        for each in list(graph.node):
            for attribute in each.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    spoil(attribute.g)
            if each.op_type == operator:
                name = each.output[0]
                each.output[0] = f"{name}/right"
                place = list(graph.node).index(each) + 1
                graph.node.insert(place, onnx.helper.make_node("Exp", [f"{name}/right"], [name]))

    def run(part: bytes, names: Sequence[str], feeds: Mapping[str, Any]) -> dict[str, Any]:
        model = onnx.load_from_string(part)
        if fails and any(each.op_type == operator for each in model.graph.node):
            raise InferenceError(f"no kernel for {operator}")
        spoil(model.graph)
        return _run(model.SerializeToString(), names, feeds)

    return run


def _chain() -> Any:
    nodes = [
        node("Mul", ["image", "two"], ["a"], name="first/Mul"),
        node("Relu", ["a"], ["b"], name="second/Relu"),
        node("Sub", ["b", "two"], ["c"], name="third/Sub"),
        node("Tanh", ["c"], ["probabilities"], name="fourth/Tanh"),
    ]
    return model_of(nodes, {"two": np.array(2, np.float32)}, ("batch", 4), ("batch", 4))


def test_providers_that_agree() -> None:
    assert first_difference(_chain().SerializeToString(), {"image": X}, _run, _run) is None


@pytest.mark.parametrize(
    ("operator", "name"), [("Mul", "first/Mul"), ("Relu", "second/Relu"), ("Sub", "third/Sub"), ("Tanh", "fourth/Tanh")]
)
def test_the_node_is_named(operator: str, name: str) -> None:
    found = first_difference(_chain().SerializeToString(), {"image": X}, _wrong_at(operator), _run)
    assert found is not None
    assert (found.node, found.operator) == (name, operator)
    assert found.problem.startswith("off by ")


def test_a_node_that_one_of_them_cannot_run() -> None:
    found = first_difference(_chain().SerializeToString(), {"image": X}, _run, _wrong_at("Sub", fails=True))
    assert found is not None
    assert (found.node, found.problem) == ("third/Sub", "no kernel for Sub")


def test_a_node_in_the_branch_that_runs() -> None:
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    branches = {
        name: make.make_graph(
            [node(operator, ["image"], [name], name=f"inside/{operator}")],
            name,
            [],
            [make.make_tensor_value_info(name, kind, None)],
        )
        for name, operator in (("then_branch", "Abs"), ("else_branch", "Sqrt"))
    }
    nodes = [
        node("ReduceMax", ["image"], ["most"], keepdims=0, name="most"),
        node("Greater", ["most", "zero"], ["holds"], name="holds"),
        node("If", ["holds"], ["chosen"], name="choose", **branches),
        node("Tanh", ["chosen"], ["probabilities"], name="last/Tanh"),
    ]
    model = model_of(nodes, {"zero": np.array(0, np.float32)}, ("batch", 4), ("batch", 4))
    found = first_difference(model.SerializeToString(), {"image": X}, _wrong_at("Abs"), _run)
    assert found is not None
    assert (found.node, found.operator) == ("inside/Abs", "Abs")
