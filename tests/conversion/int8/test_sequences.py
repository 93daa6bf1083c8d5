"""Attention and dense layers on sequences before they are quantized: the same answers out of fewer, larger steps."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from edgeconv.conversion.int8.gelu import REASON
from edgeconv.conversion.int8.sequences import with_rows
from tests.conversion.graph.rewriting import answers, graph_of, node, operators, random
from tests.conversion.int8.networks import quantized

HEADS, WORDS, DEPTH = 2, 6, 16
WIDTH = HEADS * DEPTH


def _projected(name: str, one: int, order: list[int]) -> list[Any]:
    """A projection as tf2onnx writes it: heads split, an axis of size 1, and heads folded into the batch."""
    return [
        node("MatMul", ["image", f"{name}_kernel"], [f"{name}1"], f"{name}/MatMul"),
        node("Reshape", [f"{name}1", "split"], [f"{name}2"], f"{name}/Reshape"),
        node("Add", [f"{name}2", f"{name}_bias"], [f"{name}3"], f"{name}/Add"),
        node("Unsqueeze", [f"{name}3", f"axis{one}"], [f"{name}4"], f"{name}/Unsqueeze"),
        node("Transpose", [f"{name}4"], [f"{name}5"], f"{name}/Transpose", perm=order),
        node("Reshape", [f"{name}5", "folded"], [f"{name}6"], f"{name}/Reshape_2"),
    ]


def _attention(shape: Any = ("batch", WORDS, WIDTH), half: float = 0.5) -> Any:
    """Attention of two heads, a dense layer with GELU and one without."""
    nodes = [
        *_projected("query", 3, [0, 2, 1, 3, 4]),
        *_projected("key", 1, [0, 3, 1, 2, 4]),
        *_projected("value", 1, [0, 3, 1, 2, 4]),
        node("Transpose", ["key6"], ["key7"], "key/Transpose_2", perm=[0, 2, 1]),
        node("MatMul", ["query6", "key7"], ["a1"], "attention/MatMul"),
        node("Reshape", ["a1", "apart"], ["a2"], "attention/Reshape"),
        node("Mul", ["a2", "root"], ["a3"], "attention/Mul"),
        node("Softmax", ["a3"], ["a4"], "attention/Softmax"),
        node("Reshape", ["a4", "weights"], ["a5"], "attention/Reshape_2"),
        node("MatMul", ["a5", "value6"], ["a6"], "attention/MatMul_2"),
        node("Reshape", ["a6", "heads"], ["a7"], "attention/Reshape_3"),
        node("Transpose", ["a7"], ["a8"], "attention/Transpose", perm=[0, 2, 1, 3]),
        node("Reshape", ["a8", "together"], ["a9"], "dense/Reshape"),
        node("MatMul", ["a9", "dense_kernel"], ["d1"], "dense/MatMul"),
        node("Add", ["d1", "dense_bias"], ["d2"], "dense/Add"),
        node("Mul", ["half", "d2"], ["d3"], "dense/Mul"),
        node("Neg", ["d2"], ["d4"], "dense/Neg"),
        node("Mul", ["d4", "inverse"], ["d5"], "dense/Mul_2"),
        node("Erf", ["d5"], ["d6"], "dense/Erf"),
        node("Sub", ["one", "d6"], ["d7"], "dense/Sub"),
        node("Mul", ["d3", "d7"], ["d8"], "dense/Mul_3"),
        node("MatMul", ["d8", "last_kernel"], ["l1"], "last/MatMul"),
        node("Add", ["l1", "last_bias"], ["l2"], "last/Add"),
        node("Relu", ["l2"], ["y"], "last/Relu"),
    ]
    numbers = {"half": half, "inverse": 0.5**0.5, "one": 1.0, "root": DEPTH**-0.5}
    shapes = {
        "split": [0, 0, HEADS, DEPTH],
        "folded": [-1, WORDS, DEPTH],
        "apart": [-1, HEADS, WORDS, WORDS],
        "heads": [-1, HEADS, WORDS, DEPTH],
        "weights": [-1, WORDS, WORDS],
        "together": [-1, WORDS, WIDTH],
        "axis1": [1],
        "axis3": [3],
    }
    constants = {
        **{name: np.float32(number) for name, number in numbers.items()},
        **{name: np.array(target) for name, target in shapes.items()},
        **{f"{name}_kernel": random(WIDTH, WIDTH) / 4 for name in ("query", "key", "value", "dense", "last")},
        **{f"{name}_bias": random(HEADS, DEPTH) for name in ("query", "key", "value")},
        **{f"{name}_bias": random(WIDTH) for name in ("dense", "last")},
    }
    return graph_of(nodes, constants, {"image": list(shape)})


def test_attention_keeps_its_heads_and_biases_are_added_to_the_sums() -> None:
    before = _attention()
    after = with_rows(before)
    onnx.checker.check_model(after, full_check=True)
    found = Counter(operators(after))
    assert (found["Gemm"], found["MatMul"], found["Unsqueeze"], found["Neg"]) == (5, 2, 0, 0)
    assert found["Transpose"] == 4
    assert len(after.graph.node) < len(before.graph.node) - 8
    for batch in (1, 3):
        x = random(batch, WORDS, WIDTH)
        (expected,), (received,) = answers(before, {"image": x}), answers(after, {"image": x})
        np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-4)


def test_what_stands_for_the_same_has_the_same_name() -> None:
    """Ranges of the training and layers that are to stay in float are known by names of the fp32 file."""
    made = {name: item for item in with_rows(_attention()).graph.node for name in item.output}
    assert [made[name].op_type for name in ("query3", "d2", "l2", "a2", "d8")] == ["Gemm"] * 3 + ["MatMul", "Mul"]
    assert made["query3"].name == "query/MatMul"
    names = [item.name for item in made.values()]
    assert len(set(names)) == len(names)


def test_gelu_is_one_float_operator_in_int8(tmp_path: Path) -> None:
    net, x = _attention(), random(40, WORDS, WIDTH)
    int8 = quantized(net, x)
    assert {item.node.split("/")[0] for item in int8.float_nodes if item.reason == REASON} == {"dense"}
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "opened.onnx")
    session = ort.InferenceSession(int8.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = Counter(operators(onnx.load(tmp_path / "opened.onnx")))
    assert (found["Gelu"], found["QGemm"], found["QLinearMatMul"], found["Erf"]) == (1, 5, 2, 0)
    (expected,) = answers(net, {"image": x})
    assert np.abs(session.run(None, {"image": x})[0] - expected).max() < 0.05 * np.ptp(expected)


@pytest.mark.parametrize("shape", [("batch", "words", WIDTH), ("batch", WORDS, "width")])
def test_with_another_dynamic_axis_nothing_changes(shape: Any) -> None:
    model = graph_of([node("MatMul", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["y"])], _DENSE, {"x": shape})
    assert with_rows(model) is model


def test_a_fixed_batch_stays_fixed() -> None:
    before = _attention((3, WORDS, WIDTH))
    x = random(3, WORDS, WIDTH)
    (expected,), (received,) = answers(before, {"image": x}), answers(with_rows(before), {"image": x})
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-4)


def test_what_is_no_gelu_and_no_bias_stays() -> None:
    assert "Neg" in operators(with_rows(_attention(half=0.4)))
    nodes = [node("MatMul", ["x", "w"], ["a"], "a/MatMul"), node("Add", ["a", "x"], ["y"], "a/Add")]
    model = graph_of(nodes, {"w": _DENSE["w"]}, {"x": ["batch", WORDS, WIDTH]})
    assert with_rows(model) is model


_DENSE = {"w": random(WIDTH, WIDTH), "b": random(WIDTH)}
