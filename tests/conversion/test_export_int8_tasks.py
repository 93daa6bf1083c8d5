"""int8 of every task: quantized on pictures, held by what the task is judged by, answered by predict and a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")

import edgeconv  # noqa: E402
from edgeconv.config import ExportConfig  # noqa: E402
from edgeconv.conversion.export import export_here  # noqa: E402
from edgeconv.errors import ParityError  # noqa: E402
from tests.bundling.python.running import verdict_of  # noqa: E402
from tests.conversion.isolation.alive import alive  # noqa: E402

layers = keras.layers
IMAGES = np.random.default_rng(5).integers(0, 256, (40, 12, 12, 1), dtype=np.uint8)
ALLOWED = 20.0
"""Percent: networks of noise lie near every tie."""

HEADS: dict[str, list[Any]] = {
    "tags": [layers.Flatten, lambda: layers.Dense(3, "sigmoid")],
    "yes-no": [layers.Flatten, lambda: layers.Dense(1, "sigmoid")],
    "values": [layers.Flatten, lambda: layers.Dense(2)],
    "embedding": [layers.Flatten, lambda: layers.Dense(5), layers.UnitNormalization],
    "mask": [lambda: layers.Conv2D(3, 1, activation="softmax")],
    "picture": [lambda: layers.Conv2D(1, 1, activation="sigmoid")],
    "any": [lambda: layers.Conv2D(2, 3)],
}
GATES = {
    "tags": ["F1 of the tags, lost in percent"],
    "yes-no": ["flips in percent"],
    "values": ["RMS error over spread in percent"],
    "embedding": ["cosine distance in percent", "neighbours lost in percent"],
    "mask": ["pixels that flip in percent", "mean IoU, lost in percent"],
    "picture": ["PSNR beside Keras in dB"],
    "any": ["RMS error over spread in percent"],
}


def _save(path: Path, task: str) -> Path:
    image = keras.Input((12, 12, 1))
    made = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.Rescaling(1 / 255)(image))
    for end in HEADS[task]:
        made = end()(made)
    alive(keras.Model(image, made)).save(path)
    np.savez(path.with_name("images.npz"), images=IMAGES)
    return path


def _config(path: Path, task: str, **options: Any) -> ExportConfig:
    calibration = str(path.with_name("images.npz"))
    return ExportConfig(**{"quantize": True, "calibration": calibration, "task": task, "max_drop": ALLOWED, **options})


@pytest.mark.parametrize("task", HEADS)
def test_int8_is_made_of_every_task(tmp_path: Path, task: str) -> None:
    """An export takes TensorFlow a second, and a bundle starts a process."""
    path = _save(tmp_path / "m.keras", task)
    embeds = task != "any"
    exported = export_here(path, config=_config(path, task, embed_preprocessing=embeds), out=tmp_path / "m")
    gates = {stage: [gate.name for gate in exported.ledger.gates if gate.stage == stage] for stage in ("int8", "e2e")}
    assert gates["int8"] == GATES[task]
    assert gates["e2e"] == (["grey levels of the preparation", *GATES[task]] if embeds else [])
    row = exported.ledger.row("int8")
    assert row is not None
    assert (row.count, exported.ledger.split) == (40, "calibration")
    assert row.max_abs_dp > 1e-4, "it is computed in int8"
    assert exported.ledger.int8_search is not None
    assert exported.manifest.variants["int8"].calibration.size == 40
    predictor = edgeconv.Predictor(exported.path) if embeds else edgeconv.Runner(exported.path)
    assert predictor.variant == "int8"
    (verdict,) = verdict_of(exported.path, tmp_path / "bundle")
    assert verdict.startswith("PASS: 16 samples")


def test_a_loss_that_nothing_keeps_within_the_limit_writes_nothing(tmp_path: Path) -> None:
    """With all layers in float, one image in the order of its sums differs still."""
    path = _save(tmp_path / "m.keras", "values")
    with pytest.raises(ParityError, match="int8 RMS error over spread in percent: at most 0, got"):
        export_here(path, config=_config(path, "values", max_drop=0.0), out=tmp_path / "m")
    assert not (tmp_path / "m" / "manifest.json").exists()
