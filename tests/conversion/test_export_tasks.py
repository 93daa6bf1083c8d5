"""Models of other tasks than one class of many: their contract states it, and no softmax is put behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
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


CASES = [
    ("tags", [layers.Flatten, lambda: layers.Dense(3, "sigmoid")], ("0", "1", "2"), "probabilities"),
    ("yes-no", [layers.Flatten, lambda: layers.Dense(1, "sigmoid")], ("no", "yes"), "probability"),
    ("values", [layers.Flatten, lambda: layers.Dense(1)], ("0",), "values"),
    ("embedding", [layers.Flatten, lambda: layers.Dense(5), layers.UnitNormalization], (), "embedding"),
    ("mask", [lambda: layers.Conv2D(1, 1, activation="sigmoid")], ("0", "1"), "mask"),
    ("mask", [lambda: layers.Conv2D(3, 1, activation="softmax")], ("0", "1", "2"), "mask"),
]


GATES = {"tags": "flips", "yes-no": "flips", "embedding": "cosine distance", "mask": "pixels that flip in percent"}


@pytest.mark.parametrize(("task", "ends", "labels", "name"), CASES)
def test_the_contract_states_the_task(
    tmp_path: Path, task: str, ends: list[Callable[[], Any]], labels: tuple[str, ...], name: str
) -> None:
    path = _network(tmp_path / "m.keras", *(end() for end in ends))
    exported = export_here(path, config=ExportConfig(), out=tmp_path / "m")
    manifest = exported.manifest
    assert (manifest.task, manifest.output.kind, manifest.output.name) == (task, "tensor", name)
    assert (manifest.input.name, manifest.input.dtype, manifest.labels) == ("image", "uint8", labels)
    assert exported.ledger.passed
    gates = [gate.name for gate in exported.ledger.gates]
    assert gates == ["max error over spread", *([GATES[task]] if task in GATES else [])]
    assert 0 < exported.ledger.rows[1].max_abs_dp < 1e-4
    assert edgeconv.Manifest.from_dict(manifest.as_dict()) == manifest
    answer = edgeconv.Predictor(exported.path).predict(np.full((30, 40), 90, np.uint8))
    assert type(answer).__name__ == {"tags": "Tags", "yes-no": "YesNo"}.get(task, task.capitalize())
    image = np.full((1, 12, 12, 1), 90, np.uint8)
    (outputs,) = edgeconv.Runner(exported.path).run({"image": image}).values()
    np.testing.assert_allclose(outputs, keras.models.load_model(path)(image), atol=1e-5)


def test_a_sigmoid_that_the_loss_does_is_pending(tmp_path: Path) -> None:
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(2), loss=loss)
    output = export_here(path, config=ExportConfig(labels=("cat", "dog")), out=tmp_path / "m").manifest.output
    assert (output.task, output.pending, output.value_range) == ("tags", "sigmoid", None)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            ExportConfig(quantize=True),
            r"`quantize` requires a class.*of the task tags.*, or state `--task classes`",
        ),
        (ExportConfig(labels=("a",)), r"`labels` must name the 3 answers of the model\. Received: 1 names"),
    ],
)
def test_what_does_not_go_with_the_task_is_refused(tmp_path: Path, config: ExportConfig, problem: str) -> None:
    path = _network(tmp_path / "m.keras", layers.Flatten(), layers.Dense(3, "sigmoid"))
    with pytest.raises(ConfigError, match=problem):
        export_here(path, config=config, out=tmp_path / "m")
    assert not (tmp_path / "m").exists()
