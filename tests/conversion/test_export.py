"""Export of real Keras models. TensorFlow takes seconds to come up, so these tests are slower than a second."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.artifact import sha256_of  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ArtifactError, ConfigError, DatasetError, ParityError  # noqa: E402
from edgeconv.variants import VARIANTS  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
CLASSES = 4

INT8 = edgeconv.ExportConfig(quantize=True, max_drop=5.0)
"""Of 120 test images one is 0.8 percentage points: a flip must not decide where no gate is tested."""


def _export(model: Path, *, config: Any = None, quantize: bool = False, **given: Any) -> edgeconv.ExportedModel:
    """Export in this process: a child of its own would bring TensorFlow up for each test."""
    return export_here(model, config=config or edgeconv.ExportConfig(quantize=quantize), **given)


def _convnet(*head: Any, dtype: str = "float32", **last: Any) -> Any:
    return alive(_fresh_convnet(*head, dtype=dtype, **last))


def _fresh_convnet(*head: Any, dtype: str, **last: Any) -> Any:
    return keras.Sequential(
        [
            layers.Input((12, 10, 1), dtype=dtype),
            *head,
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(CLASSES, **{"activation": "softmax", **last}),
        ]
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an `.npz` of 400 training and 120 test images, 12 x 10: bright squares in one of four corners."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 400), ("test", 120)):
        labels = np.arange(count) % CLASSES
        images = generator.integers(0, 60, (count, 12, 10), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = 6 * (label // 2), 5 * (label % 2)
            image[row : row + 6, column : column + 5] += 180
        arrays |= {f"x_{split}": images, f"y_{split}": labels.astype(np.uint8)}
    path = tmp_path_factory.mktemp("data") / "corners.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def pixels_keras(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """Return a trained model that takes raw pixels, as `edgeconv train` makes them."""
    path = tmp_path_factory.mktemp("model") / "corners.keras"
    keras.utils.set_random_seed(0)
    model = _fresh_convnet(layers.Rescaling(1 / 255), dtype="uint8")
    arrays = np.load(data)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(arrays["x_train"][..., None], arrays["y_train"], epochs=20, verbose=0)
    model.save(path)
    return path


@pytest.fixture(scope="module")
def exported(pixels_keras: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> edgeconv.ExportedModel:
    folder = tmp_path_factory.mktemp("exported") / "corners"
    return _export(pixels_keras, config=INT8, dataset=str(data), out=folder)


def test_the_graph_is_short_and_named_after_the_layers(exported: edgeconv.ExportedModel) -> None:
    model = onnx.load(exported.path / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    operators = [node.op_type for node in model.graph.node]
    assert not {"Shape", "Gather", "Slice", "Concat", "Identity", "Dropout", "MatMul"} & set(operators)
    assert operators.count("Transpose") == 0
    assert operators.count("Gemm") == 2
    assert [entry.version for entry in model.opset_import] == [17]
    used = {name for node in model.graph.node for name in node.input}
    assert {item.name for item in model.graph.initializer} <= used
    layers_named = {re.sub(r"_\d+$", "", node.name.partition("/")[0]) for node in model.graph.node}
    assert {"conv2d", "dense", "flatten"} <= layers_named


@pytest.mark.parametrize("file", ["model.onnx", "model.int8.onnx"])
def test_the_interface_is_pixels_in_and_probabilities_out(exported: edgeconv.ExportedModel, file: str) -> None:
    graph = onnx.load(exported.path / file).graph
    (image,), (output,) = graph.input, graph.output
    axes = [
        [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim] for value in (image, output)
    ]
    assert (image.name, output.name) == ("image", "probabilities")
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert axes == [["batch", 12, 10, 1], ["batch", CLASSES]]


def test_the_artifact_is_whole_and_the_manifest_vouches_for_it(
    exported: edgeconv.ExportedModel, pixels_keras: Path
) -> None:
    folder = exported.path
    assert {path.name for path in folder.iterdir()} == {
        "model.keras",
        "model.onnx",
        "model.int8.onnx",
        "manifest.json",
        "parity.json",
        "samples.npz",
        "report.html",
    }
    assert json.dumps(exported.read(folder).as_dict()) == json.dumps(exported.as_dict())
    manifest = json.loads((folder / "manifest.json").read_text())
    for variant in manifest["variants"].values():
        path = folder / variant["file"]
        assert (variant["sha256"], variant["size_bytes"]) == (sha256_of(path), path.stat().st_size)
    assert manifest["provenance"]["source_sha256"] == sha256_of(pixels_keras) == sha256_of(folder / "model.keras")
    assert manifest["variants"]["int8"]["calibration"]["split"] == "train"
    assert json.loads((folder / "parity.json").read_text())["passed"] is True
    samples = np.load(folder / "samples.npz")
    assert set(samples["labels"].tolist()) == set(range(CLASSES))
    assert samples["images"].shape == (16, 12, 10, 1)


def test_the_parity_is_over_the_whole_test_split(exported: edgeconv.ExportedModel) -> None:
    rows = exported.ledger.rows
    assert [row.stage for row in rows] == ["keras", "fp32", "int8"]
    assert {row.count for row in rows} == {120}
    assert (rows[0].accuracy or 0) > 0.9
    assert rows[1].flips == ()
    assert 0 < rows[1].max_abs_dp < 1e-5


def test_the_exported_folder_predicts(exported: edgeconv.ExportedModel, data: Path) -> None:
    arrays = np.load(data)
    for variant in ("fp32", "int8"):
        model = edgeconv.Predictor(exported.path, variant=variant)
        answers = model.predict_prepared(arrays["x_test"][:20, ..., None])
        assert [answer.index for answer in answers] == arrays["y_test"][:20].tolist()


def test_a_process_of_another_hash_seed_gives_the_same_bytes(
    exported: edgeconv.ExportedModel, pixels_keras: Path, data: Path, tmp_path: Path
) -> None:
    """Starts a process that exports."""
    folder = tmp_path / exported.path.name
    code = (
        "import sys, edgeconv; int8 = edgeconv.ExportConfig(quantize=True, max_drop=5.0)\n"
        "edgeconv.export(sys.argv[1], config=int8, dataset=sys.argv[2], out=sys.argv[3])"
    )
    subprocess.run(
        [sys.executable, "-c", code, pixels_keras, data, folder],
        env={**os.environ, "PYTHONHASHSEED": "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"},
        check=True,
        capture_output=True,
    )
    for name in ("model.onnx", "model.int8.onnx", "samples.npz", "manifest.json"):
        assert sha256_of(folder / name) == sha256_of(exported.path / name), name


def test_a_gate_that_fails_leaves_what_was_there_and_the_ledger_to_read(
    pixels_keras: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "corners"
    folder.mkdir()
    (folder / "model.onnx").write_text("the user's")
    monkeypatch.setitem(VARIANTS, "fp32", VARIANTS["fp32"]._replace(max_dp=0.0))
    with pytest.raises(
        ParityError, match=r"must keep its answers. Received: fp32 max \|dp\|: at most 0, got"
    ) as caught:
        _export(pixels_keras, config=INT8, dataset=str(data), out=folder)
    assert not caught.value.ledger.passed
    assert (folder / "model.onnx").read_text() == "the user's"
    assert {item.name for item in folder.iterdir()} == {"model.onnx", "parity.failed.json"}
    assert json.loads((folder / "parity.failed.json").read_text())["passed"] is False
    monkeypatch.undo()
    _export(pixels_keras, dataset=str(data), out=folder)
    assert not (folder / "parity.failed.json").exists()


def test_a_float_model_keeps_its_input_until_its_range_is_stated(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "floats.keras"
    _convnet().save(path)
    bare = _export(path, out=tmp_path / "bare")
    assert (bare.manifest.input.dtype, bare.manifest.input.kind, bare.manifest.preprocess) == (
        "float32",
        "tensor",
        None,
    )
    assert (bare.ledger.split, bare.ledger.rows[0].accuracy) == ("random", None)
    with pytest.raises(ConfigError, match=r"no layer that scales.*`--input-range LOW:HIGH`, such as 0:1"):
        _export(path, dataset=str(data), out=tmp_path / "bare")
    stated = _export(
        path,
        config=edgeconv.ExportConfig(input_range="-1:1", quantize=False),
        dataset=str(data),
        out=tmp_path / "stated",
    )
    assert stated.manifest.input.dtype == "uint8"
    images = np.load(data)["x_test"][:8, ..., None]
    expected = keras.models.load_model(path)(images / np.float32(127.5) - 1.0).numpy()
    model = edgeconv.Predictor(tmp_path / "stated")
    np.testing.assert_allclose(model.probabilities(images), expected, atol=1e-5)
    # Without padding the offset folds as well: nothing is left between the pixels and the first layer.
    operators = [node.op_type for node in onnx.load(tmp_path / "stated" / "model.onnx").graph.node]
    assert operators[:3] == ["Cast", "Reshape", "Conv"]


def test_a_range_of_floats_for_a_model_of_whole_numbers_is_refused(pixels_keras: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"for a model that takes floats.*which takes uint8 pixels as they are"):
        _export(pixels_keras, config=edgeconv.ExportConfig(input_range="0:1"), out=tmp_path)


def test_logits_are_told_from_probabilities(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "logits.keras"
    _convnet(layers.Rescaling(1 / 255), activation=None).save(path)
    exported = _export(path, dataset=str(data), out=tmp_path / "logits")
    assert exported.manifest.output.kind == "logits"
    prediction = edgeconv.Predictor(tmp_path / "logits", top_k=CLASSES).predict(np.zeros((12, 10, 1), np.uint8))
    assert sum(score.probability for score in prediction.top) == pytest.approx(1.0, abs=1e-6)


def test_labels_can_be_given(pixels_keras: Path, tmp_path: Path) -> None:
    config = edgeconv.ExportConfig(labels=("nw", "ne", "sw", "se"))
    assert _export(pixels_keras, config=config, out=tmp_path / "a").manifest.labels == config.labels
    with pytest.raises(ConfigError, match=r"must name the 4 outputs of the model. Received: 2 names"):
        _export(pixels_keras, config=edgeconv.ExportConfig(labels=("a", "b")), out=tmp_path / "b")


def test_quantize_without_data_is_refused(pixels_keras: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="requires training images to measure ranges on"):
        _export(pixels_keras, quantize=True, out=tmp_path)


def test_data_that_do_not_fit_are_refused(pixels_keras: Path, tmp_path: Path, data: Path) -> None:
    arrays = dict(np.load(data))
    np.savez(tmp_path / "wide.npz", **{**arrays, **{f"x_{s}": arrays[f"x_{s}"][:, :10, :] for s in ("train", "test")}})
    with pytest.raises(DatasetError, match=r"requires images of \(12, 10, 1\). Received: \(10, 10, 1\)"):
        _export(pixels_keras, dataset=str(tmp_path / "wide.npz"), out=tmp_path / "x")
    few = {name: arrays[name][arrays[name.replace("x_", "y_")] < 3] for name in arrays}
    np.savez(tmp_path / "few.npz", **few)
    with pytest.raises(DatasetError, match=r"requires data of 4 classes. Received: 3"):
        _export(pixels_keras, dataset=str(tmp_path / "few.npz"), out=tmp_path / "x")


def test_files_that_are_no_model(tmp_path: Path, data: Path) -> None:
    (tmp_path / "broken.keras").write_bytes(data.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=r"must be a whole \.keras file"):
        _export(tmp_path / "broken.keras")
    with pytest.raises(ArtifactError, match="no such file"):
        _export(tmp_path / "absent.keras")


def test_the_folder_of_another_trained_model_is_not_overwritten(pixels_keras: Path, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_text("trained here")
    (tmp_path / "training.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds another trained model"):
        _export(pixels_keras, out=tmp_path)
    assert (tmp_path / "model.keras").read_text() == "trained here"


def test_a_nested_model_with_equal_layer_names_keeps_them_apart(tmp_path: Path) -> None:
    inner = keras.Sequential([layers.Input((12, 10, 1)), layers.Conv2D(3, 3, name="conv_1")], name="conv")
    image = layers.Input((12, 10, 1), dtype="uint8")
    pooled = layers.GlobalAveragePooling2D(name="pool")(inner(layers.Rescaling(1 / 255)(image)))
    model = alive(keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="out")(pooled)))
    model.save(tmp_path / "nested.keras")
    exported = _export(tmp_path / "nested.keras", out=tmp_path / "nested")
    names = [node.name for node in onnx.load(exported.path / "model.onnx").graph.node]
    assert "conv/conv_1/Conv" in names
    assert any(name.startswith("out/") for name in names)
    assert [layer.name for layer in keras.models.load_model(tmp_path / "nested.keras").layers][-1] == "out"
