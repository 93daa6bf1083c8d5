"""A model that was trained to be int8: its file has the ranges of the training, and answers as Keras did with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.conversion.exported import ExportedModel  # noqa: E402
from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.datasets import DatasetSpec, open_dataset  # noqa: E402
from edgeconv.parity.stage import FAKE_QUANTIZED  # noqa: E402
from edgeconv.runtime.session import Session  # noqa: E402
from edgeconv.training import train  # noqa: E402
from tests.training.conftest import SMALL, Listener, save_bars  # noqa: E402

layers = keras.layers
SIDE = 12


def network() -> keras.Model:
    """Batch normalization, a depthwise convolution, a residual sum, poolings, and logits."""
    image = keras.Input((SIDE, SIDE, 1), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv")(x)
    x = first = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Add()([first, layers.Conv2D(8, 1, name="pointwise")(x)])
    x = layers.Conv2D(8, 3, activation="relu")(layers.MaxPooling2D()(x))
    x = layers.Dense(12, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(3, name="scores")(x))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """A network that was trained, and then trained to be int8: ten seconds."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("trained")
    data = save_bars(folder / "bars.npz", side=SIDE)
    with np.load(data) as arrays:
        images, labels = arrays["x_train"][..., None], arrays["y_train"]
    model: keras.Model = network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for rate in (3e-3, 3e-4):
        model = model if rate == 3e-3 else edgeconv.fake_quantize(model)
        model.compile(keras.optimizers.Adam(rate), loss)
        model.fit(images, labels, epochs=8 if rate == 3e-3 else 3, batch_size=15, verbose=0)
    model.save(folder / "qat.keras")
    config = ExportConfig(variants=("int8",), max_drop=2.0)
    return export_here(folder / "qat.keras", config=config, dataset=str(data), out=folder / "artifact")


def test_int8_answers_as_keras_did_to_one_step(exported: ExportedModel) -> None:
    """Off by two is a range, a folded weight or a rounding that differs; nearly all answers are equal to the bit."""
    images = np.random.default_rng(1).integers(0, 256, (300, SIDE, SIDE, 1), dtype=np.uint8)
    trained = load_keras(exported.path / "model.keras", classes=True).with_fake_quantization
    assert trained is not None
    expected = trained.predict(images)
    int8 = (exported.path / "model.int8.onnx").read_bytes()
    received = Session(int8).run(images)
    graph = onnx.load_from_string(int8).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    step = float(constants[next(node.input[1] for node in graph.node if node.name == "scores/Q")])
    assert np.abs(received - expected).max() <= 1.01 * step
    assert (np.abs(received - expected) < 0.5 * step).mean() > 0.99
    assert (received.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.99
    assert np.ptp(expected) > 20 * step


def test_the_ledger_has_keras_with_fake_quantization_and_without(exported: ExportedModel) -> None:
    rows = {row.stage: row for row in exported.ledger.rows}
    assert list(rows) == ["keras", FAKE_QUANTIZED, "fp32", "int8"]
    assert not rows["fp32"].flips
    assert rows["int8"].max_abs_dp < rows[FAKE_QUANTIZED].max_abs_dp
    assert [gate.stage for gate in exported.ledger.gates] == ["fp32", "fp32", "int8"]


def test_what_the_float_model_reached_is_a_gate_where_the_record_has_it(tmp_path: Path) -> None:
    """Takes ten seconds: it trains twice. A folder of the float model has its accuracy on the same images."""
    bars_file = save_bars(tmp_path / "bars.npz")
    config = replace(SMALL, epochs=2, dropout=0.0, augment=False)
    data = open_dataset(DatasetSpec(str(bars_file)))
    base = train(data, config=config, out=tmp_path / "float")
    aware = train(data, config=replace(config, base=str(base.path), qat=True), out=tmp_path / "aware")
    assert aware.record["base"]["test_accuracy"] == base.record["test_accuracy"]
    export = ExportConfig(variants=("int8",), max_drop=100.0)
    ledger = export_here(aware.path, config=export, dataset=str(bars_file), out=tmp_path / "aware").ledger
    (gate,) = [gate for gate in ledger.gates if gate.stage == FAKE_QUANTIZED]
    row = ledger.row(FAKE_QUANTIZED)
    assert row is not None
    assert row.accuracy is not None
    assert gate.received == pytest.approx(100 * (base.record["test_accuracy"] - row.accuracy))
    (tmp_path / "aware" / "training.json").unlink()
    listener = Listener()
    export_here(aware.path, config=export, dataset=str(bars_file), out=tmp_path / "unknown", progress=listener)
    assert any("What the float model reached before that is not on record" in said for said in listener.said)


def test_evaluate_has_both_too(exported: ExportedModel) -> None:
    ledger = edgeconv.evaluate(exported.path, dataset=str(exported.path.parent / "bars.npz"), max_drop=2.0)
    assert [(row.stage, row.drop) for row in ledger.rows] == [(row.stage, row.drop) for row in exported.ledger.rows]


def test_the_manifest_says_that_the_ranges_were_trained(exported: ExportedModel) -> None:
    quantization = exported.manifest.variants["int8"].quantization
    assert quantization is not None
    assert (quantization.ranges, quantization.equalized, quantization.corrected) == ("trained", False, False)


def test_no_layer_is_left_in_float_but_the_scaling_of_pixels(exported: ExportedModel) -> None:
    nodes = [node.node for node in exported.manifest.variants["int8"].float_nodes]
    assert nodes == ["rescaling/Add", "conv/Reshape"]
