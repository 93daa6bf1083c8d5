"""Models of other tasks than one class of many: their contract states it, and no softmax is put behind them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.datasets import DatasetSpec  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
from tests.bundling.python.running import verdict_of  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers


def _network(path: Path, *ends: Any, loss: Any = None) -> Path:
    """Save a network of grey pictures with the given last layers."""
    image = keras.Input((12, 12, 1))
    made = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(image))
    for end in ends:
        made = end(made)
    network = alive(keras.Model(image, made))
    if loss is not None:
        network.compile(loss=loss)
    network.save(path)
    return path


PICTURE = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)

CASES = [
    ("tags", [layers.Flatten, lambda: layers.Dense(3, "sigmoid")], ("0", "1", "2"), "probabilities"),
    ("yes-no", [layers.Flatten, lambda: layers.Dense(1, "sigmoid")], ("no", "yes"), "probability"),
    ("values", [layers.Flatten, lambda: layers.Dense(1)], ("0",), "values"),
    ("embedding", [layers.Flatten, lambda: layers.Dense(5), layers.UnitNormalization], (), "embedding"),
    ("mask", [lambda: layers.Conv2D(1, 1, activation="sigmoid")], ("0", "1"), "mask"),
    ("mask", [lambda: layers.Conv2D(3, 1, activation="softmax")], ("0", "1", "2"), "mask"),
]


GATES = {
    "tags": ["flips"],
    "yes-no": ["flips"],
    "embedding": ["cosine distance", "neighbours lost in percent"],
    "mask": ["pixels that flip in percent"],
}


@pytest.mark.parametrize(("task", "ends", "labels", "name"), CASES)
def test_the_contract_states_the_task(
    tmp_path: Path, task: str, ends: list[Callable[[], Any]], labels: tuple[str, ...], name: str
) -> None:
    path = _network(tmp_path / "m.keras", *(end() for end in ends))
    exported = export_here(path, config=ExportConfig(embed_preprocessing=True), out=tmp_path / "m")
    manifest = exported.manifest
    assert (manifest.task, manifest.output.kind, manifest.output.name) == (task, "tensor", name)
    assert (manifest.input.name, manifest.input.dtype, manifest.labels) == ("image", "uint8", labels)
    assert exported.ledger.passed
    gates = {stage: [gate.name for gate in exported.ledger.gates if gate.stage == stage] for stage in ("fp32", "e2e")}
    common = ["max error over spread", *GATES.get(task, ())]
    assert gates == {"fp32": common, "e2e": ["grey levels of the preparation", *common]}
    assert [row.stage for row in exported.ledger.rows] == ["keras", "fp32", "e2e"]
    assert all(0 < row.max_abs_dp < 1e-4 for row in exported.ledger.rows[1:])
    assert exported.ledger.rows[2].count == 16
    assert edgeconv.Manifest.from_dict(manifest.as_dict()) == manifest
    answer = edgeconv.Predictor(exported.path).predict(np.full((30, 40), 90, np.uint8))
    assert type(answer).__name__ == {"tags": "Tags", "yes-no": "YesNo"}.get(task, task.capitalize())
    image = np.full((1, 12, 12, 1), 90, np.uint8)
    (outputs,) = edgeconv.Runner(exported.path).run({"image": image}).values()
    np.testing.assert_allclose(outputs, keras.models.load_model(path)(image), atol=1e-5)
    (verdict,) = verdict_of(exported.path, tmp_path / "bundle")
    assert re.match(rf"PASS: 16 samples; preparation within [01] of 1 grey levels, {name} within", verdict)


def test_a_sigmoid_that_the_loss_does_is_pending(tmp_path: Path) -> None:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(2), loss=loss)
    config = ExportConfig(labels=("cat", "dog"), threshold=0.25, embed_preprocessing=True)
    output = export_here(path, config=config, out=tmp_path / "m").manifest.output
    assert (output.task, output.pending, output.value_range) == ("tags", "sigmoid", None)
    plain = edgeconv.Predictor(tmp_path / "m")
    answer = plain.predict(np.full((12, 12), 90, np.uint8))
    assert (output.threshold, answer.threshold) == (0.25, 0.25)  # type: ignore[union-attr]
    inside = edgeconv.Predictor(tmp_path / "m", variant="e2e")
    assert (inside.manifest.output.pending, inside.manifest.output.value_range) == (None, (0.0, 1.0))
    scores = [[score.probability for score in one.scores] for one in (inside.predict(PICTURE), plain.predict(PICTURE))]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert edgeconv.Predictor(tmp_path / "m", threshold=0.5).threshold == 0.5


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            ExportConfig(quantize=True),
            r"`quantize` requires samples to measure .*of the task tags\. Name some with `--calibration`: pictures, or",
        ),
        (ExportConfig(labels=("a",)), r"`labels` must name the 3 answers of the model\. Received: 1 names"),
        (ExportConfig(fast=True), r"`fast` is a form of int8\. Received: no `--quantize`"),
        (ExportConfig(task="values", threshold=0.7), r"`threshold` is for the tasks tags, .* of the task values"),
    ],
)
def test_what_does_not_go_with_the_task_is_refused(tmp_path: Path, config: ExportConfig, problem: str) -> None:
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(3, "sigmoid"))
    with pytest.raises(ConfigError, match=problem):
        export_here(path, config=config, out=tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.fixture(scope="module")
def shades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of dark and bright pictures, split."""
    folder = tmp_path_factory.mktemp("shades")
    generator = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 8)):
        for label, level in (("bright", 170), ("dark", 40)):
            (folder / split / label).mkdir(parents=True)
            for number in range(count):
                pixels = (level + generator.integers(0, 40, (12, 12))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / label / f"{number}.png")
    return folder


@pytest.mark.parametrize("pending", [False, True])
def test_a_yes_or_no_is_judged_on_labelled_pictures(tmp_path: Path, shades: Path, pending: bool) -> None:
    """The second class, dark, is the yes: its logit is 10 - 20 * mean brightness."""
    image = keras.Input((12, 12, 1))
    mean = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    last = layers.Dense(1, activation=None if pending else "sigmoid")
    network = keras.Model(image, last(mean))
    last.set_weights([np.array([[-20.0]], np.float32), np.array([10.0], np.float32)])
    network.compile(loss=keras.losses.BinaryCrossentropy(from_logits=pending))
    network.save(tmp_path / "m.keras")
    data = DatasetSpec(str(shades), image_size=(12, 12), channels=1)
    config = ExportConfig(embed_preprocessing=True)
    exported = export_here(tmp_path / "m.keras", config=config, dataset=data, out=tmp_path / "m")
    assert [(row.stage, row.accuracy) for row in exported.ledger.rows] == [("keras", 1.0), ("fp32", 1.0), ("e2e", 1.0)]
    assert exported.ledger.rows[2].max_abs_dp < 0.05  # a grey level of the preparation
    assert [gate.name for gate in exported.ledger.gates] == [
        "flips",
        "max |dp|",
        "accuracy drop in percentage points",
        "AUC, loss in percent",
    ]
    assert exported.manifest.labels == ("bright", "dark")
    answer = edgeconv.Predictor(exported.path).predict(shades / "test" / "dark" / "0.png")
    assert (answer.label, answer.answer) == ("dark", True)  # type: ignore[union-attr]


def test_tags_have_no_folders_of_classes(tmp_path: Path, shades: Path) -> None:
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(2, "sigmoid"))
    with pytest.raises(ConfigError, match=r"`dataset` must say what is right of each input.*, or state `--task clas"):
        export_here(path, config=ExportConfig(), dataset=str(shades), out=tmp_path / "m")


def test_two_names_of_one_linear_output_may_be_a_yes_or_no(tmp_path: Path) -> None:
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(1))
    with pytest.raises(ConfigError, match=r"must name the 1 answers .* Received: 2 names\..* State `--task yes-no` if"):
        export_here(path, config=ExportConfig(labels=("cat", "dog")), out=tmp_path / "m")
