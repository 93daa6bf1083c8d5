from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edgeconv.conversion.keras.ports import Port
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.errors import UnsupportedModelError

node = onnx.helper.make_node
KERNEL = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
IMAGE = (Port("image", "float32", (4,)),)
PROBABILITIES = (Port("probabilities", "float32", (3,)),)


@pytest.fixture
def dense(build: Any) -> Any:
    return build([node("MatMul", ["image", "k"], ["probabilities"])], {"k": KERNEL}, ["batch", 4], ["batch", 3])


def _verify(model: Any) -> bytes:
    return verify_structure(model, "m.keras", IMAGE, PROBABILITIES)


def test_a_sound_model_passes_and_is_the_bytes_that_ship(dense: Any) -> None:
    assert onnx.load_from_string(_verify(dense)) == dense


def test_an_operator_that_onnx_does_not_have_is_named_with_its_layer(build: Any) -> None:
    """tf2onnx logs it and writes the file."""
    model = build([node("Erfc", ["image"], ["probabilities"], name="gelu_1/Erfc")], {}, ["batch", 4], ["batch", 4])
    with pytest.raises(
        UnsupportedModelError,
        match=r"must consist of operators that ONNX has at opset 17\. Received: Erfc of layer `gelu_1`",
    ):
        _verify(model)


def test_an_operator_inside_the_body_of_another_is_looked_at(build: Any) -> None:
    tensor = onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph(
        [node("Erfc", ["image"], ["inner"], name="loop/Erfc")], "body", [], [tensor("inner", 1, ["batch", 3])]
    )
    model = build(
        [node("If", ["yes"], ["probabilities"], then_branch=body, else_branch=body, name="if/If")],
        {"yes": np.array(True)},
        ["batch", 3],
        ["batch", 3],
    )
    with pytest.raises(UnsupportedModelError, match="Erfc of layer `loop`"):
        _verify(model)


def test_an_operator_that_the_opset_does_not_have_is_named(build: Any) -> None:
    model = build([node("Gelu", ["image"], ["probabilities"], name="gelu/Gelu")], {}, ["batch", 4], ["batch", 4])
    with pytest.raises(UnsupportedModelError, match="Gelu"):  # since opset 20; the file says 17
        _verify(model)


def test_constants_that_became_inputs_are_refused(dense: Any) -> None:
    dense.graph.input.append(onnx.helper.make_tensor_value_info("mean", onnx.TensorProto.FLOAT, [3]))
    with pytest.raises(
        UnsupportedModelError, match=r"the inputs image \(float\)\. Received: image \(float\), mean \(float\)"
    ):
        _verify(dense)


def test_outputs_in_another_order_or_of_another_type_are_refused(dense: Any) -> None:
    others = (Port("logits", "float32", (3,)), *PROBABILITIES)
    with pytest.raises(UnsupportedModelError, match=r"the outputs logits \(float\), probabilities \(float\)"):
        verify_structure(dense, "m.keras", IMAGE, others)
    with pytest.raises(UnsupportedModelError, match=r"the outputs probabilities \(int64\)"):
        verify_structure(dense, "m.keras", IMAGE, (Port("probabilities", "int64", (3,)),))


def test_of_a_graph_inside_a_node_the_wrong_node_is_named_and_a_saved_model_may_be_another_file(
    build: Any, tmp_path: Path
) -> None:
    branch = onnx.helper.make_graph(
        [node("MatMul", ["image", "narrow"], ["inside"], name="saved_model/If/MatMul")],
        "branch",
        [],
        [onnx.helper.make_tensor_value_info("inside", onnx.TensorProto.FLOAT, None)],
    )
    constants = {"narrow": np.zeros((5, 3), np.float32), "always": np.array([True])}
    nodes = [
        node("If", ["always"], ["probabilities"], name="saved_model/If", then_branch=branch, else_branch=branch),
    ]
    model = build(nodes, constants, ["batch", 4], ["batch", 3])
    with pytest.raises(UnsupportedModelError, match=r"Received: MatMul of layer `saved_model`: .* Give the model as"):
        verify_structure(model, str(tmp_path), IMAGE, PROBABILITIES)


def test_a_model_that_does_not_load_is_refused(build: Any) -> None:
    model = build([node("MatMul", ["image", "k"], ["probabilities"])], {"k": KERNEL}, ["batch", 5], ["batch", 3])
    with pytest.raises(UnsupportedModelError, match="must convert to ONNX that loads"):
        _verify(model)
