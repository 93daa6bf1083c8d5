"""What `--resume` goes on from: the model with its optimizer, and where the run stands.

One folder inside the artifact's:

    exported/mnist/.checkpoint/state.json      options, data, history; names the file beside it
    exported/mnist/.checkpoint/epoch-2.keras   the model and its optimizer

The model is written first and `state.json` after it, each atomically, so that an interrupted run
never leaves a state without its model.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from edgeconv.artifact import read_json, replacing, sha256_of, write_json
from edgeconv.config import TrainConfig
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ArtifactError, ConfigError, TrainingError, one_line

CHECKPOINT_FOLDER = ".checkpoint"
STATE_FILE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """Where an unfinished run stands.

    Attributes:
        run: tells this run from others in the same folder.
        config: its options.
        dataset: the record of its data, see `Dataset.as_dict`.
        provenance: what its training.json says of device, base and versions.
        history: one entry a finished epoch, see `run_epoch`; at least one.
    """

    run: str
    config: TrainConfig
    dataset: dict[str, Any]
    provenance: dict[str, Any]
    history: tuple[dict[str, Any], ...]

    @property
    def spec(self) -> DatasetSpec:
        """Opens the data again."""
        return DatasetSpec.from_dict(self.dataset["spec"])

    @property
    def epochs_done(self) -> int:
        """Finished epochs."""
        return len(self.history)


def save_checkpoint(folder: Path, checkpoint: Checkpoint, model: keras.Model) -> None:
    """Replace the checkpoint of an artifact folder.

    Args:
        folder: of the artifact.
        checkpoint: where the run stands.
        model: compiled, as it is after the last epoch of the history.
    """
    place = folder / CHECKPOINT_FOLDER
    file = place / f"epoch-{checkpoint.epochs_done}-{checkpoint.run}.keras"
    with replacing(file) as sibling:
        model.save(sibling)
    state = {
        "run": checkpoint.run,
        "config": checkpoint.config.as_dict(),
        "dataset": checkpoint.dataset,
        "provenance": checkpoint.provenance,
        "history": list(checkpoint.history),
        "model": {"file": file.name, "sha256": sha256_of(file)},
    }
    write_json(place / STATE_FILE, state)
    for old in place.glob("*.keras"):
        if old.name != file.name:
            old.unlink()


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of an artifact folder, or None if it has none.

    Raises:
        TrainingError: the checkpoint is damaged.
    """
    path = folder / CHECKPOINT_FOLDER / STATE_FILE
    if not path.is_file():
        return None
    try:
        state = read_json(path)
        return Checkpoint(
            run=state["run"],
            config=TrainConfig(**state["config"]),
            dataset=state["dataset"],
            provenance=state["provenance"],
            history=tuple(state["history"]),
        )
    except (ArtifactError, ConfigError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def load_checkpoint_model(folder: Path) -> keras.Model:
    """Return the model of an artifact folder's checkpoint, compiled, with the state of its optimizer.

    Raises:
        TrainingError: the checkpoint is damaged.
    """
    place = folder / CHECKPOINT_FOLDER
    try:
        model = read_json(place / STATE_FILE)["model"]
        path = place / model["file"]
        if sha256_of(path) != model["sha256"]:
            raise ValueError(f"{path.name} is not the file that was saved")
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part of the file led to.
        raise _damaged(place, error) from error


def discard_checkpoint(folder: Path) -> None:
    """Remove the checkpoint of an artifact folder, its state first, so that no kill leaves a state without a model."""
    place = folder / CHECKPOINT_FOLDER
    (place / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)


def _damaged(path: Path, error: Exception) -> TrainingError:
    return TrainingError(f"`{path}` must be a sound checkpoint. Received: {one_line(error)}. Train without `--resume`.")
