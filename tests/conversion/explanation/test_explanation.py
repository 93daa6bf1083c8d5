from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation import explaining, recording  # noqa: E402
from edgeconv.conversion.explanation.comparing import compare  # noqa: E402
from edgeconv.conversion.explanation.divergence import first_divergence  # noqa: E402
from edgeconv.conversion.explanation.explaining import explain  # noqa: E402
from edgeconv.conversion.explanation.table import Explanation  # noqa: E402
from edgeconv.conversion.explanation.tapping import TappedModel  # noqa: E402
from edgeconv.conversion.graph.simplify import clean  # noqa: E402
from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from tests.conversion.int8.networks import quantized  # noqa: E402

pytestmark = pytest.mark.train

layers = keras.layers
TOLERANCE = 1e-3


def _enliven(model: Any) -> None:
    generator = np.random.default_rng(1)
    for variable in model.weights:
        noise = generator.normal(size=variable.shape) * 0.1
        positive = variable.path.endswith("variance")
        variable.assign(generator.uniform(0.5, 2.0, variable.shape) if positive else variable.numpy() + noise)


def _network() -> Any:
    """Two branches, one of them a nested model that is called twice, and all that is folded away."""
    inner = keras.Sequential(
        [
            layers.Input((14, 14, 8)),
            layers.Conv2D(8, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.LeakyReLU(0.3, name="leaky"),
        ],
        name="inner",
    )
    x = entry = layers.Input((28, 28, 1), name="picture")
    x = layers.Rescaling(1 / 255, name="scaling")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    side = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Add(name="join")([inner(inner(x)), side])
    x = layers.Dropout(0.3, name="dropout")(x)
    x = layers.LayerNormalization(name="layer_norm")(x)
    x = layers.Conv2D(12, 3, activation="relu", name="wide")(x)
    x = layers.Permute((2, 1, 3), name="turned")(x)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(20, activation="elu", name="hidden")(x)
    model = keras.Model(entry, layers.Dense(10, activation="softmax", name="head")(x), name="network")
    _enliven(model)
    return model


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> KerasReference:
    return _loaded(_network(), tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def fp32(reference: KerasReference) -> Any:
    return clean(reference.to_onnx())


@pytest.fixture(scope="module")
def feeds() -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(2).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)}


@pytest.fixture(scope="module")
def int8(fp32: Any) -> Any:
    images = np.random.default_rng(3).integers(0, 256, (16, 28, 28, 1), dtype=np.uint8)
    return quantized(fp32, images).model


def _loaded(model: Any, folder: Path) -> KerasReference:
    model.save(folder / "model.keras")
    return load_keras(folder / "model.keras")


def _node(model: Any, name: str) -> Any:
    return next(node for node in model.graph.node if node.name == name)


def _break_constant(model: Any, name: str) -> Any:
    """Return a copy with the elements of a constant changed."""
    broken = copy.deepcopy(model)
    tensor = next(tensor for tensor in broken.graph.initializer if tensor.name == name)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array += np.random.default_rng(10).normal(size=array.shape).astype(array.dtype)
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, name))
    return broken


def _divergent(reference: KerasReference, feeds: dict[str, np.ndarray], model: Any) -> str | None:
    found = first_divergence(reference, feeds, model, tolerance=TOLERANCE)
    return found and found.layer


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
        assert _divergent(reference, feeds, _break_constant(fp32, constant)) == expected, constant


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
    node = _node(broken, operator)
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
    _enliven(model)
    reference = _loaded(model, tmp_path)
    feeds = {reference.inputs[0].name: np.random.default_rng(4).normal(size=(2, 6, 6, 4)).astype(np.float32)}
    whole = clean(reference.to_onnx())
    assert _divergent(reference, feeds, whole) is None
    (turning,) = (node for node in whole.graph.node if sorted(_swapped(node)) == [2, 3])
    broken = copy.deepcopy(whole)
    _node(broken, turning.name).attribute[0].ints[:] = [0, 1, 2, 3]
    found = first_divergence(reference, feeds, broken, tolerance=TOLERANCE)
    assert found is not None
    # The graph has one Transpose for the Permute and for the layout of the convolution, named after the latter.
    assert (found.layer, found.folded) == ("behind", ("turned",))


def _swapped(node: Any) -> list[int]:
    order = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "perm"), [])
    return [axis for place, axis in enumerate(order) if axis != place]


def test_the_layer_is_found_in_either_branch(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    """The join comes behind both; bisection must not stop at the branch that agrees."""
    added = copy.deepcopy(fp32)
    _node(added, "join/Add").op_type = "Mul"
    assert _divergent(reference, feeds, added) == "join"


def test_a_folded_layer_is_named_with_the_one_that_took_it_in(reference: KerasReference, feeds: Any, fp32: Any) -> None:
    constant = next(node for node in fp32.graph.node if node.op_type == "Conv").input[1]
    found = first_divergence(reference, feeds, _break_constant(fp32, constant), tolerance=TOLERANCE)
    assert found is not None
    assert (found.layer, found.folded) == ("stem_norm", ("scaling", "stem"))
    assert "with `scaling`, `stem` folded into it" in found.sentence


def test_an_answer_of_another_layout_is_a_divergence_behind_the_last_layer(tmp_path: Path) -> None:
    entry = layers.Input((6, 6, 4))
    model = keras.Model(entry, layers.Conv2D(6, 3, padding="same", name="only")(entry))
    reference = _loaded(model, tmp_path)
    feeds = {reference.inputs[0].name: np.random.default_rng(4).normal(size=(2, 6, 6, 4)).astype(np.float32)}
    broken = clean(reference.to_onnx())
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
    _enliven(model)
    reference = _loaded(model, tmp_path)
    generator = np.random.default_rng(5)
    feeds = {port.name: generator.normal(size=(2, 6)).astype(np.float32) for port in reference.inputs}
    whole = clean(reference.to_onnx())
    assert _divergent(reference, feeds, whole) is None
    kernel = next(node for node in whole.graph.node if node.name.startswith("second/") and len(node.input) > 1).input[1]
    assert _divergent(reference, feeds, _break_constant(whole, kernel)) == "second"
    rows = {row.layer: row for row in explain(reference, feeds, {"fp32": whole}).rows}
    assert set(rows) >= {"shared", "shared#2", "joined", "first", "second"}
    assert rows["shared"].errors["fp32"].value != rows["shared#2"].errors["fp32"].value


def test_a_recurrent_layer_is_found(tmp_path: Path) -> None:
    """Takes seconds: Keras runs recurrent layers step by step."""
    entry = layers.Input((7, 4))
    x = layers.LSTM(5, return_sequences=True, name="first")(entry)
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="second")(x)
    model = keras.Model(entry, layers.Dense(2, name="head")(x))
    _enliven(model)
    reference = _loaded(model, tmp_path)
    feeds = {reference.inputs[0].name: np.random.default_rng(6).normal(size=(2, 7, 4)).astype(np.float32)}
    whole = clean(reference.to_onnx())
    assert _divergent(reference, feeds, whole) is None
    errors = {row.layer: row.errors["fp32"] for row in explain(reference, feeds, {"fp32": whole}).rows}
    assert errors["first"] is not None
    assert errors["first"].max_error < 1e-5
    assert errors["second"] is not None


def test_the_table_shows_what_int8_costs_at_each_layer(
    reference: KerasReference, feeds: Any, fp32: Any, int8: Any
) -> None:
    found = explain(reference, feeds, {"fp32": fp32, "int8": int8})
    rows = {row.layer: row for row in found.rows}
    assert [rows[name].errors["fp32"] for name in ("scaling", "stem")] == [None, None], "folded into the next"
    for name in ("stem_relu", "inner/leaky", "inner/leaky#2", "join", "dropout", "wide", "pool", "flat", "hidden"):
        exact, rounded = rows[name].errors["fp32"], rows[name].errors["int8"]
        assert exact is not None
        assert rounded is not None, name
        assert exact.sqnr_db is None or exact.sqnr_db > 100, name
        assert rounded.sqnr_db is not None
        assert 20 < rounded.sqnr_db < 60, name
        assert 0 < rounded.max_error < rows[name].spread, name
    record = found.as_dict()
    assert record["variants"] == ["fp32", "int8"]
    assert {"layer", "class_name", "shape", "spread", "int8_value", "int8_sqnr_db", "int8_max_error"} <= set(
        record["layers"][0]
    )
    assert Explanation.from_dict(json.loads(json.dumps(record))) == found


def test_a_layer_that_int8_cannot_hold_is_the_worst(tmp_path: Path) -> None:
    """One channel a thousand times as large leaves the others a fraction of a step."""
    entry = layers.Input((12, 12, 1))
    x = layers.Rescaling(1 / 255, name="scaling")(entry)
    x = layers.Conv2D(8, 3, activation="relu", name="first")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="second")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="third")(x)
    x = layers.Flatten(name="flat")(x)  # A mean could lose more than what it is the mean of.
    model = keras.Model(entry, layers.Dense(4, activation="softmax", name="head")(x))
    _enliven(model)
    kernel, bias = model.get_layer("second").get_weights()
    bias[3] += 1000.0
    model.get_layer("second").set_weights([kernel, bias])
    next_kernel, next_bias = model.get_layer("third").get_weights()
    next_kernel[:, :, 3] = 0.0  # What follows does not read the large channel.
    model.get_layer("third").set_weights([next_kernel, next_bias])
    reference = _loaded(model, tmp_path)
    images = np.random.default_rng(7).integers(0, 256, (16, 12, 12, 1), dtype=np.uint8)
    whole = clean(reference.to_onnx())
    rounded = quantized(whole, images).model
    found = explain(reference, {"image": images[:4]}, {"fp32": whole, "int8": rounded})
    worst = found.worst("int8")
    assert worst is not None
    assert worst.layer == "third"
    divergence = first_divergence(reference, {"image": images[:4]}, rounded, tolerance=0.02)
    assert divergence is not None
    assert divergence.layer == "third"


def test_no_more_than_a_chunk_is_held(
    reference: KerasReference, feeds: Any, fp32: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def counted(model: Any, run: Callable[[], Any], names: Any) -> Any:
        outputs = recording.outputs_of(model, run, names)
        held.append(sum(array.nbytes for array in outputs.values()))
        return outputs

    whole = explain(reference, feeds, {"fp32": fp32})
    monkeypatch.setattr(explaining, "outputs_of", counted)
    limit = 9 * 40_000
    chunked = explain(reference, feeds, {"fp32": fp32}, chunk_bytes=limit)
    assert chunked == whole
    assert len(held) > 3
    assert max(held) <= limit / 9


def test_bisection_holds_the_output_of_one_layer(
    reference: KerasReference, feeds: Any, fp32: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeconv.conversion.explanation import divergence

    asked: list[Any] = []

    def counted(model: Any, run: Callable[[], Any], names: Any) -> Any:
        asked.append(list(names))
        return recording.outputs_of(model, run, names)

    monkeypatch.setattr(divergence, "outputs_of", counted)
    broken = copy.deepcopy(fp32)
    _node(broken, "hidden/Elu").attribute.append(onnx.helper.make_attribute("alpha", 0.5))
    assert _divergent(reference, feeds, broken) == "hidden"
    assert all(len(names) == 1 for names in asked)
    assert len(asked) <= 8, "of 17 layers"


def test_statistics_measured_in_the_graph_are_those_of_the_tensors(fp32: Any, feeds: Any) -> None:
    tapped = TappedModel(fp32, feeds)
    statistics = tapped.statistics()
    for name, array in tapped.fetch(list(tapped.values)).items():
        assert statistics[name].size == array.size
        assert statistics[name].low == pytest.approx(array.min(), abs=1e-6)
        assert statistics[name].mean == pytest.approx(array.mean(), abs=1e-4)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux' /proc")
def test_measuring_a_graph_keeps_none_of_its_tensors() -> None:
    """Starts a process, since a process has one peak of memory: 40 tensors of 16 MB are measured in less than 200."""
    code = """
import re, pathlib, numpy as np
from onnx import TensorProto, helper
from edgeconv.conversion.explanation.tapping import TappedModel
nodes = [helper.make_node("Neg", [f"v{i}"], [f"v{i + 1}"], name=f"layer{i}/Neg") for i in range(40)]
ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("v0", "v40")]
model = helper.make_model(helper.make_graph(nodes, "g", ports[:1], ports[1:]), ir_version=8,
                          opset_imports=[helper.make_opsetid("", 17)])
tapped = TappedModel(model, {"v0": np.ones(4_000_000, np.float32)})
def peak():  # getrusage's would be the parent's.
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
before = peak()
assert len(tapped.statistics()) == 40
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 200_000


@pytest.mark.parametrize(
    ("shape", "axes", "laid_out"),
    [
        ((2, 5, 6, 3), (0, 3, 1, 2), (2, 3, 5, 6)),
        ((2, 5, 6, 3), (0, 3, 1, 2), (2, 3, 30)),
        ((2, 5, 3), (1, 0, 2), (5, 1, 2, 3)),
        ((2, 30), (0, 1), (2, 5, 6)),
    ],
)
def test_a_tensor_is_compared_in_the_layout_that_fits(
    shape: tuple[int, ...], axes: tuple[int, ...], laid_out: tuple[int, ...]
) -> None:
    expected = np.random.default_rng(8).normal(size=shape).astype(np.float32)
    received = expected.transpose(axes).reshape(laid_out)
    found = compare(expected, received)
    assert found is not None
    assert (found.max_error, found.sqnr_db) == (0.0, None)
    assert compare(expected, received[:1]) is None


def test_rows_and_columns_that_are_swapped_are_an_error() -> None:
    expected = np.random.default_rng(9).normal(size=(2, 5, 5, 3))
    found = compare(expected, expected.swapaxes(1, 2))
    assert found is not None
    assert found.share > 0.1


def test_numbers_that_are_none_are_an_error() -> None:
    expected = np.array([[0.0, 1.0, -np.inf]])
    found = compare(expected, np.array([[0.0, np.nan, -np.inf]]))
    assert found is not None
    assert np.isinf(found.max_error)
    same = compare(expected, expected)
    assert same is not None
    assert same.max_error == 0.0
