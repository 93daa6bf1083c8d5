"""Weights of what has no int8 kernel: a quarter of the bytes, also where a loop hands them round."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from edgeconv.conversion.int8.float_weights import STORED, store_in_8_bits
from edgeconv.conversion.weights_only.constants import weights_in
from edgeconv.manifest_blocks import FloatNode
from tests.conversion.graph.rewriting import answers, graph_of, node, operators, random

LOOP = """
<ir_version: 8, opset_import: ["" : 17]>
net (float[batch, 24] x) => (float[batch, 24] y) {
  y, last = Loop <body = step (int64 number, bool on, float[n, 24] state, float[24, 24] own)
      => (bool still, float[n, 24] next, float[24, 24] HANDED) {
    still = Identity (on)
    product = MatMul (state, own)
    next = Tanh (product)
    changed = Neg (next)
  }> (count, yes, x, w)
}
"""
UNCHANGED, CHANGED = "own", "changed"


def _loop(handed: str) -> Any:
    model = onnx.parser.parse_model(LOOP.replace("HANDED", handed))
    constants = {"count": np.array(4), "yes": np.array(True), "w": random(24, 24) / np.float32(5.0)}
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    model.graph.node[0].name = "rnn/Loop"
    return model


def _told(operator: str, name: str) -> FloatNode:
    return FloatNode(name, operator, "no kernel")


def test_what_a_loop_hands_round_unchanged_is_a_weight_and_what_it_changes_is_none() -> None:
    assert [(each.name, each.axis, each.layout) for each in weights_in(_loop(UNCHANGED))] == [("w", 1, None)]
    assert weights_in(_loop(CHANGED)) == ()


def test_a_loop_answers_nearly_alike_with_a_quarter_of_the_bytes() -> None:
    model, x = _loop(UNCHANGED), random(3, 24)
    stored, said = store_in_8_bits(model, [_told("Loop", "rnn/Loop")])
    assert [node.reason for node in said] == [f"no kernel{STORED}"]
    assert stored.ByteSize() < 0.47 * model.ByteSize()  # Names and scales weigh in a file of 2.7 kB.
    (expected,), (found,) = answers(model, {"x": x}), answers(stored, {"x": x})
    assert 0.0 < np.abs(found - expected).max() < 0.02 * np.ptp(expected)
    (scale,) = (tensor for tensor in stored.graph.initializer if tensor.name == "w/scale")
    own = np.abs(numpy_helper.to_array(model.graph.initializer[2])).max(axis=0, keepdims=True) / 127
    np.testing.assert_allclose(numpy_helper.to_array(scale), own, rtol=1e-6)


def test_floats_are_made_when_a_session_opens_and_not_in_each_call(tmp_path: Path) -> None:
    stored, _ = store_in_8_bits(_loop(UNCHANGED), [_told("Loop", "rnn/Loop")])
    assert operators(stored) == ["Cast", "Mul", "Loop"]
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "opened.onnx")
    ort.InferenceSession(stored.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert operators(onnx.load(tmp_path / "opened.onnx")) == ["Loop"]


@pytest.mark.parametrize("operator", ["LSTM", "ConvTranspose"])
def test_operators_without_a_kernel_store_their_weights(operator: str) -> None:
    if operator == "LSTM":
        inner = node("LSTM", ["x", "w", "r"], ["y"], "one/LSTM", hidden_size=16)
        model = graph_of([inner], {"w": random(1, 64, 12), "r": random(1, 64, 16)}, {"x": [5, "batch", 12]})
        x = random(5, 2, 12)
    else:
        inner = node("ConvTranspose", ["x", "w"], ["y"], "one/ConvTranspose", strides=[2, 2])
        model = graph_of([inner], {"w": random(12, 16, 2, 2)}, {"x": ["batch", 12, 3, 3]})
        x = random(2, 12, 3, 3)
    stored, (said,) = store_in_8_bits(model, [_told(operator, f"one/{operator}")])
    assert said.reason.endswith(STORED)
    (expected,), (found,) = (answers(each, {"x": x})[:1] for each in (model, stored))
    assert 0.0 < np.abs(found - expected).max() < 0.02 * np.ptp(expected)


def test_a_layer_that_is_left_in_float_to_keep_accuracy_keeps_its_weights() -> None:
    model = graph_of([node("MatMul", ["x", "w"], ["y"], "one/MatMul")], {"w": random(24, 24)}, {"x": ["batch", 24]})
    told = [FloatNode("one/MatMul", "MatMul", "left in float to keep accuracy")]
    assert store_in_8_bits(model, told) == (model, tuple(told))
