"""The files of a trained model, written so that a kill leaves the previous model or the new one."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from edgeconv.artifact import CURVES_FILE, KERAS_FILE, TRAINING_FILE, read_json, sha256_of, write_json
from edgeconv.datasets import Dataset
from edgeconv.training.checkpoints import Checkpoint
from edgeconv.training.curves import draw_curves
from edgeconv.training.loading import save_model
from edgeconv.training.precision import with_precision
from edgeconv.training.recipes import CROSS_ENTROPY, Crossentropy, metrics, recipe_of
from edgeconv.transaction import complete_commit, transaction


@dataclass(frozen=True)
class TrainedModel:
    """A model that was trained.

    Attributes:
        path: of `model.keras`, which maps `image`, uint8, (batch, height, width, channels), 0-255, to `probabilities`.
        record: what `training.json` beside it says.
    """

    path: Path
    record: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the path and the record as a JSON object."""
        return {"path": str(self.path), **self.record}


def write_result(folder: Path, model: keras.Model, checkpoint: Checkpoint, data: Dataset) -> TrainedModel:
    """Write `curves.png`, `training.json` and `model.keras` of the finished epochs.

    They appear at once. `training.json` states the SHA-256 of the model that it describes, so that a mismatch is
    recognised, whatever wrote it.

    Args:
        folder: of the artifact.
        model: compiled, as it is after the last epoch of the history.
        checkpoint: where the run stands.
        data: what it was trained and tested on.

    Returns:
        The files' model and record.
    """
    final = with_precision(model, "float32")
    record = _record(final, checkpoint, data)
    with transaction(folder) as scratch:
        draw_curves(checkpoint.history, _title(record), scratch / CURVES_FILE)
        made = scratch / KERAS_FILE
        save_model(final, made)
        record["model"] = {"file": KERAS_FILE, "sha256": sha256_of(made), "size_bytes": made.stat().st_size}
        write_json(scratch / TRAINING_FILE, record)
    return TrainedModel(folder / KERAS_FILE, record)


def read_result(folder: Path) -> TrainedModel | None:
    """Return the model of a folder if its record describes it, else None."""
    complete_commit(folder)
    path = folder / KERAS_FILE
    if not path.is_file() or not (folder / TRAINING_FILE).is_file():
        return None
    record = read_json(folder / TRAINING_FILE)
    return TrainedModel(path, record) if record.get("model", {}).get("sha256") == sha256_of(path) else None


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    return {
        "tensorflow": str(tf.__version__),
        "keras": str(keras.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _record(final: keras.Model, checkpoint: Checkpoint, data: Dataset) -> dict[str, Any]:
    config, last = checkpoint.config, checkpoint.history[-1]
    test = {"accuracy": last["test_accuracy"], CROSS_ENTROPY: last["test_loss"]}
    if checkpoint.provenance["device"]["precision"] != "float32":
        test = _tested(final, data)
    return {
        "finished": checkpoint.epochs_done >= config.epochs,
        "epochs_done": checkpoint.epochs_done,
        "epochs": config.epochs,
        "test_accuracy": test["accuracy"],
        "test_loss": test[CROSS_ENTROPY],
        "parameters": final.count_params(),
        "seed": config.seed,
        "recipe": recipe_of(config).as_dict(),
        "config": config.as_dict(),
        "history": list(checkpoint.history),
        "dataset": data.as_dict(),
        **checkpoint.provenance,
    }


def _tested(final: keras.Model, data: Dataset) -> dict[str, float]:
    """Test the float32 model: what was tested after the last epoch computed in another precision."""
    twin = with_precision(final, "float32")
    twin.compile(loss=Crossentropy(), metrics=metrics(), jit_compile=False)
    tested: dict[str, float] = twin.evaluate(data.test.images, data.test.labels, verbose=0, return_dict=True)
    return tested


def _title(record: dict[str, Any]) -> str:
    name = Path(record["config"]["base"]).name if record["config"]["base"] else record["config"]["arch"]
    return f"{record['dataset']['name']} · {name} · {record['recipe']['name']} · {record['parameters']:,} parameters"
