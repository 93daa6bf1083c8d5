"""The first layer that a file gets wrong is found, whatever the file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation.divergence import first_divergence  # noqa: E402
from edgeconv.conversion.explanation.explaining import explain  # noqa: E402
from edgeconv.conversion.graph.simplify import simplify  # noqa: E402
from edgeconv.conversion.keras import KerasReference  # noqa: E402
from tests.conversion.explanation.networks import (  # noqa: E402
    TOLERANCE,
    break_constant,
    divergent,
    enliven,
    layers,
    loaded,
    node_named,
)


def test_a_faithful_file_has_no_divergence(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    assert first_divergence(reference, feeds, fp32, tolerance=1e-4) is None


def test_each_constant_that_is_broken_leads_to_its_layer(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    """Takes seconds: a bisection for each of a dozen constants."""
    constants = {
        value: node.name.rpartition("/")[0]
        for node in reversed(fp32.graph.node)
        for value in node.input
        if any(t.name == value and t.data_type == onnx.TensorProto.FLOAT for t in fp32.graph.initializer)
    }
    explained = explain(reference, feeds, {"fp32": fp32})
    owners = {row.errors["fp32"].value: row.layer for row in reversed(explained.rows) if row.errors["fp32"]}
    assert len(constants) >= 10
    for constant, scope in constants.items():
        reader = next(node for node in fp32.graph.node if constant in node.input)
        # A node may bear another layer's name; what it makes in the whole file tells whose it is.
        expected = owners.get(reader.output[0], scope)
        assert divergent(reference, feeds, break_constant(fp32, constant)) == expected, constant


@pytest.mark.parametrize(
    ("operator", "attribute", "value", "layer"),
    [
        ("inner/leaky/LeakyRelu", "alpha", 0.2, "inner/leaky"),
        ("inner/leaky/LeakyRelu_2", "alpha", 0.2, "inner/leaky#2"),
        ("hidden/Elu", "alpha", 0.5, "hidden"),
    ],
)
def test_a_wrong_attribute_leads_to_its_layer(
    reference: KerasReference, feeds: Any, fp32: Any, operator: str, attribute: str, value: float, layer: str
) -> None:
    broken = copy.deepcopy(fp32)
    node = node_named(broken, operator)
    del node.attribute[:]
    node.attribute.append(onnx.helper.make_attribute(attribute, value))
    found = first_divergence(reference, feeds, broken, tolerance=TOLERANCE)
    assert found is not None
    assert found.layer == layer
    assert found.max_error > TOLERANCE * found.spread
    assert found.sentence.startswith(f"the first layer that differs is `{layer}` ({found.class_name}): by ")


def test_a_wrong_order_of_axes_is_seen_although_it_changes_no_element(tmp_path: Path) -> None:
    entry = layers.Input((6, 6, 4))
    x = layers.Conv2D(6, 3, padding="same", name="before")(entry)
    x = layers.Permute((2, 1, 3), name="turned")(x)
    x = layers.Conv2D(5, 3, name="behind")(x)
    model = keras.Model(entry, layers.Dense(3, name="head")(layers.Flatten(name="flat")(x)))
    enliven(model)
    reference = loaded(model, tmp_path, task="values")
    feeds = {reference.inputs[0].name: np.random.default_rng(4).normal(size=(2, 6, 6, 4)).astype(np.float32)}
    whole = simplify(reference.to_onnx())
    assert divergent(reference, feeds, whole) is None
    (turning,) = (node for node in whole.graph.node if sorted(_swapped(node)) == [2, 3])
    broken = copy.deepcopy(whole)
    node_named(broken, turning.name).attribute[0].ints[:] = [0, 1, 2, 3]
    found = first_divergence(reference, feeds, broken, tolerance=TOLERANCE)
    assert found is not None
    # The graph has one Transpose for the Permute and for the layout of the convolution, named after the latter.
    assert (found.layer, found.folded) == ("behind", ("turned",))


def _swapped(node: Any) -> list[int]:
    order = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), [])
    return [axis for place, axis in enumerate(order) if axis != place]


def _swapped(node: Any) -> list[int]:
    order = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), [])
    return [axis for place, axis in enumerate(order) if axis != place]


def test_the_layer_is_found_in_either_branch(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    """The join comes behind both; bisection must not stop at the branch that agrees."""
    added = copy.deepcopy(fp32)
    node_named(added, "join/Add").op_type = "Mul"
    assert divergent(reference, feeds, added) == "join"


def test_a_folded_layer_is_named_with_the_one_that_took_it_in(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    constant = next(node for node in fp32.graph.node if node.op_type == "Conv").input[1]
    found = first_divergence(reference, feeds, break_constant(fp32, constant), tolerance=TOLERANCE)
    assert found is not None
    assert (found.layer, found.folded) == ("stem_norm", ("scaling", "stem"))
    assert "with `scaling`, `stem` folded into it" in found.sentence


def test_an_answer_of_another_layout_is_a_divergence_behind_the_last_layer(tmp_path: Path) -> None:
    entry = layers.Input((6, 6, 4))
    model = keras.Model(entry, layers.Conv2D(6, 3, padding="same", name="only")(entry))
    reference = loaded(model, tmp_path)
    feeds = {reference.inputs[0].name: np.random.default_rng(4).normal(size=(2, 6, 6, 4)).astype(np.float32)}
    broken = simplify(reference.to_onnx())
    last = next(node for node in broken.graph.node if node.output[0] == reference.outputs[0].name)
    assert last.op_type == "Transpose"
    last.attribute[0].ints[:] = [0, 3, 2, 1]
    found = first_divergence(reference, feeds, broken, tolerance=TOLERANCE)
    assert found is not None
    assert (found.layer, found.class_name, found.value) == ("only", "", last.output[0])


def test_models_with_several_inputs_and_outputs_are_explained(tmp_path: Path) -> None:
    left, right = layers.Input((6,), name="left"), layers.Input((6,), name="right")
    shared = layers.Dense(4, activation="tanh", name="shared")
    joined = layers.Concatenate(name="joined")([shared(left), shared(right)])
    outputs = [layers.Dense(2, name="first")(joined), layers.Dense(3, activation="sigmoid", name="second")(joined)]
    model = keras.Model([left, right], outputs)
    enliven(model)
    reference = loaded(model, tmp_path)
    generator = np.random.default_rng(5)
    feeds = {port.name: generator.normal(size=(2, 6)).astype(np.float32) for port in reference.inputs}
    whole = simplify(reference.to_onnx())
    assert divergent(reference, feeds, whole) is None
    kernel = next(node for node in whole.graph.node if node.name.startswith("second/") and len(node.input) > 1).input[1]
    assert divergent(reference, feeds, break_constant(whole, kernel)) == "second"
    rows = {row.layer: row for row in explain(reference, feeds, {"fp32": whole}).rows}
    assert set(rows) >= {"shared", "shared#2", "joined", "first", "second"}
    assert rows["shared"].errors["fp32"].value != rows["shared#2"].errors["fp32"].value


def test_a_recurrent_layer_is_found(tmp_path: Path) -> None:
    """Takes seconds: Keras runs recurrent layers step by step."""
    entry = layers.Input((7, 4))
    x = layers.LSTM(5, return_sequences=True, name="first")(entry)
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="second")(x)
    model = keras.Model(entry, layers.Dense(2, name="head")(x))
    enliven(model)
    reference = loaded(model, tmp_path)
    feeds = {reference.inputs[0].name: np.random.default_rng(6).normal(size=(2, 7, 4)).astype(np.float32)}
    whole = simplify(reference.to_onnx())
    assert divergent(reference, feeds, whole) is None
    errors = {row.layer: row.errors["fp32"] for row in explain(reference, feeds, {"fp32": whole}).rows}
    assert errors["first"] is not None
    assert errors["first"].max_error < 1e-5
    assert errors["second"] is not None
