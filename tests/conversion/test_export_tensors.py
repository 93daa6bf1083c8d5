"""Models that are no classifiers of pictures: verified all the same, in int8 too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ArtifactError, ConfigError  # noqa: E402
from edgeconv.runtime.golden import golden_inputs  # noqa: E402
from tests.bundling.python.running import verdict_of  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that finds two things in a picture and a row of numbers."""
    picture, facts = keras.Input((None, None, 3), name="picture"), keras.Input((5,), name="facts")
    seen = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="look")(picture))
    both = layers.Concatenate()([seen, layers.Dense(3, name="think")(facts)])
    path = tmp_path_factory.mktemp("model") / "two.keras"
    outputs = {"where": layers.Dense(4, name="box")(both), "what": layers.Dense(2, activation="softmax")(both)}
    alive(keras.Model([picture, facts], outputs)).save(path)
    return path


@pytest.fixture(scope="module")
def exported(model: Path, tmp_path_factory: pytest.TempPathFactory) -> edgeconv.ExportedModel:
    return export_here(model, config=edgeconv.ExportConfig(), out=tmp_path_factory.mktemp("exported") / "two")


def test_the_manifest_lists_all_inputs_and_outputs(exported: edgeconv.ExportedModel) -> None:
    manifest = edgeconv.Manifest.from_json((exported.path / "manifest.json").read_text())
    assert [array.name for array in (manifest.input, *manifest.more_inputs)] == ["picture", "facts"]
    assert [array.name for array in (manifest.output, *manifest.more_outputs)] == ["where", "what"]
    assert manifest.input.shape == ("batch", "height", "width", 3)
    assert [output.meaning and output.meaning.task for output in (manifest.output, *manifest.more_outputs)] == [
        None,
        "classes",
    ]
    assert (manifest.task, manifest.is_classifier, manifest.takes_picture, manifest.labels) == ("any", False, False, ())


def test_the_file_answers_as_keras_does(exported: edgeconv.ExportedModel, model: Path) -> None:
    generator = np.random.default_rng(7)
    feeds = {
        "picture": generator.normal(size=(2, 20, 30, 3)).astype(np.float32),
        "facts": generator.normal(size=(2, 5)).astype(np.float32),
    }
    expected = keras.models.load_model(model)([feeds["picture"], feeds["facts"]])
    session = ort.InferenceSession(exported.path / "model.onnx", providers=["CPUExecutionProvider"])
    for name, answer in zip(("where", "what"), session.run(["where", "what"], feeds), strict=True):
        np.testing.assert_allclose(answer, expected[name], atol=1e-5)


def test_the_ledger_says_how_far_off_and_of_what(exported: edgeconv.ExportedModel) -> None:
    ledger = json.loads((exported.path / "parity.json").read_text())
    assert [row["stage"] for row in ledger["rows"]] == ["keras", "fp32"]
    of_each = ["max error over spread of where", "max error over spread of what", "flips of what"]
    assert [gate["name"] for gate in ledger["gates"]] == of_each
    assert 0 < ledger["rows"][1]["max_abs_dp"] < 1e-5
    outputs = ledger["rows"][1]["outputs"]
    assert set(outputs) == {"where", "what"}
    assert all(each["max_error"] < 1e-5 and each["sqnr_db"] > 80 for each in outputs.values())
    assert [gate.name for gate in edgeconv.evaluate(exported.path).gates] == of_each
    page = (exported.path / "report.html").read_text(encoding="utf-8")
    assert "Max difference of <code>what</code>" in page
    assert "SQNR of <code>where</code>" in page
    assert {path.name for path in exported.path.iterdir()} == {
        "model.keras",
        "model.onnx",
        "manifest.json",
        "parity.json",
        "report.html",
        "samples.npz",
    }


def test_the_golden_vectors_are_arrays_by_name(exported: edgeconv.ExportedModel) -> None:
    inputs, labels = golden_inputs(
        exported.path / "samples.npz", (exported.manifest.input, *exported.manifest.more_inputs)
    )
    assert labels is None
    assert {name: (array.shape[0], array.dtype.name) for name, array in inputs.items()} == {
        "picture": (3, "float32"),
        "facts": (3, "float32"),
    }
    with np.load(exported.path / "samples.npz") as arrays:
        answers = edgeconv.Runner(exported.path).run(inputs)
        np.testing.assert_allclose(answers["where"], arrays["output:where"], atol=1e-5)


def test_a_bundle_takes_its_arrays(exported: edgeconv.ExportedModel, tmp_path: Path) -> None:
    (verdict,) = verdict_of(exported.path, tmp_path / "bundle")
    assert verdict.startswith("PASS: 3 samples; where within")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (edgeconv.ExportConfig(quantize=True), r"`quantize` requires samples .* an \.npz of arrays by input, or `mod"),
        (
            edgeconv.ExportConfig(labels=("a", "b")),
            "`labels` requires a classifier of pictures.*Received: .*picture.*facts.*where.*what",
        ),
    ],
)
def test_what_does_not_go_with_arrays_is_refused(
    model: Path, tmp_path: Path, config: edgeconv.ExportConfig, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        export_here(model, config=config, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_arrays_are_no_picture(model: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"`embed_preprocessing` requires a model of one picture.*facts.*`Runner` gives"
    ):
        export_here(model, config=edgeconv.ExportConfig(embed_preprocessing=True), out=tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_predictor_says_what_else_to_do(exported: edgeconv.ExportedModel) -> None:
    with pytest.raises(
        ArtifactError, match=r"must take a picture, .* of picture, facts\. Run it with `edgeconv\.Runner`"
    ):
        edgeconv.Predictor(exported.path)
    with pytest.raises(ArtifactError, match="must take a picture"):
        edgeconv.Predictor(exported.path / "model.onnx")


def test_the_users_inputs_are_compared_on(model: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    np.savez(tmp_path / "x.npz", picture=generator.random((7, 9, 9, 3)), facts=generator.random((7, 5)))
    config = edgeconv.ExportConfig(input_data=str(tmp_path / "x.npz"))
    exported = export_here(model, config=config, out=tmp_path / "two")
    assert exported.ledger.rows[1].count == 7 + 3 + 1


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"picture": np.zeros((2, 9, 9, 3))}, "must hold `facts`"),
        (
            {"picture": np.zeros((2, 9, 9, 1)), "facts": np.zeros((2, 5))},
            r"must hold `picture`.*float64 \(2, 9, 9, 1\)",
        ),
        ({"picture": np.zeros((2, 9, 9, 3)), "facts": np.zeros((3, 5))}, "the same number of rows"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    model: Path, tmp_path: Path, arrays: dict[str, np.ndarray], problem: str
) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    config = edgeconv.ExportConfig(input_data=str(tmp_path / "x.npz"))
    with pytest.raises(ConfigError, match=problem):
        export_here(model, config=config, out=tmp_path / "two")
