"""Finding the run that `--resume` goes on with."""

from __future__ import annotations

from pathlib import Path

from edgeconv.artifact import KERAS_FILE, newest
from edgeconv.datasets import Dataset
from edgeconv.errors import DatasetError, TrainingError
from edgeconv.progress import Progress
from edgeconv.training.checkpoints import CHECKPOINT_FOLDER, STATE_FILE, Checkpoint
from edgeconv.training.results import TrainedModel, read_result


def find_run(folder: Path | None, root: Path) -> Path:
    """Return the folder to resume: `folder`, else the newest with a checkpoint below `root`, else with a model.

    Raises:
        TrainingError: there is none.
    """
    if folder is not None:
        return folder
    found = newest(f"{CHECKPOINT_FOLDER}/{STATE_FILE}", root) or newest(KERAS_FILE, root)
    if found is None:
        raise _no_run(root)
    return found


def nothing_to_resume(folder: Path, progress: Progress) -> TrainedModel:
    """Return the finished model of a folder without a checkpoint, and say so.

    Raises:
        TrainingError: there is no finished model either.
    """
    result = read_result(folder)
    if result is None or not result.record["finished"]:
        raise _no_run(folder)
    progress.say(
        f"There is nothing to resume: {result.path} is finished, {result.record['epochs_done']} of "
        f"{result.record['epochs']} epochs. Train without `--resume` to start anew."
    )
    return result


def require_same_data(checkpoint: Checkpoint, data: Dataset, folder: Path) -> None:
    """Raise DatasetError unless `data` is what the interrupted run was trained on."""
    before = checkpoint.dataset
    if (before["sha256"], before["labels"]) != (data.sha256, list(data.labels)):
        raise DatasetError(
            f"The run in {folder} requires the data it began with, {before['source']} with SHA-256 "
            f"{before['sha256'][:12]}. Received: {data.source} with SHA-256 {data.sha256[:12]}. Name that data, or "
            "train without `--resume`."
        )


def _no_run(place: Path) -> TrainingError:
    return TrainingError(
        f"`resume` requires an interrupted run. Received: {place}, which has none. Train without `--resume`, or name "
        "the folder with `--out`."
    )
