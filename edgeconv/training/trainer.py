"""The stage: from a dataset to a folder with a trained model."""

from __future__ import annotations

import shlex
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from edgeconv.artifact import EXPORTS, KERAS_FILE, sha256_of
from edgeconv.config import TrainConfig, artifact_folder
from edgeconv.datasets import Dataset, DatasetSpec, open_dataset
from edgeconv.errors import ConfigError, TrainingError
from edgeconv.progress import SILENT, Progress
from edgeconv.training.architectures import build_model
from edgeconv.training.checkpoints import (
    Checkpoint,
    discard_checkpoint,
    load_checkpoint_model,
    read_checkpoint,
    save_checkpoint,
)
from edgeconv.training.devices import Placement, claim_device, scope_of, strategy_of
from edgeconv.training.download import download
from edgeconv.training.epochs import run_epoch
from edgeconv.training.fake_quantizing import fake_quantize
from edgeconv.training.finetuning import adapt_model
from edgeconv.training.pipeline import InputPipeline
from edgeconv.training.precision import with_precision
from edgeconv.training.recipes import Crossentropy, make_optimizer, metrics, recipe_of
from edgeconv.training.results import TrainedModel, read_result, versions, write_result
from edgeconv.training.resuming import find_run, nothing_to_resume, require_same_data


def train(
    dataset: str | DatasetSpec | Dataset = "auto",
    *,
    config: TrainConfig = TrainConfig(),  # noqa: B008 - frozen
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress = SILENT,
) -> TrainedModel:
    """Train a model and write `model.keras`, `training.json` and `curves.png`.

    A checkpoint is kept in the folder after each epoch, until the run is finished. On Ctrl-C, the files of the last
    finished epoch are written and KeyboardInterrupt is raised. If the process is killed, the folder has the previous
    model or the new one. On the same CPU, equal options and data give equal bytes, whether the run was resumed or not.

    Args:
        dataset: a name, a path, a spec, or an opened dataset.
        config: how to train. With `resume`, only its `device` counts: the interrupted run has its own options.
        out: folder of the artifact; None: ``exported/<name of the dataset>``.
        resume: continue the unfinished run in the folder; without `out` and with dataset ``"auto"``, the newest under
            ``exported/``.
        progress: receives messages, and a bar per epoch.

    Returns:
        The model and its record; those of the finished run if nothing is left to resume.

    Raises:
        ConfigError: the options contradict each other or the data, such as a network too deep for the images.
        DatasetError: the data are absent or damaged, or are not those of the run to resume.
        TrainingError: the device is not there, the loss becomes NaN, or there is no run to resume.
        KeyboardInterrupt: on Ctrl-C, after the files are written.

    Example:
        >>> train("mnist", config=TrainConfig(epochs=1)).record["test_accuracy"]  # doctest: +SKIP
        0.9876
    """
    _require_tensorflow()
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    folder = Path(out) if out is not None else None
    checkpoint = None
    if resume and isinstance(spec, DatasetSpec) and spec.dataset == "auto":
        folder = find_run(folder, EXPORTS)
        checkpoint = read_checkpoint(folder)
        if checkpoint is None:
            return nothing_to_resume(folder, progress)
        spec = checkpoint.spec
    data = spec if isinstance(spec, Dataset) else open_dataset(spec, download=download, progress=progress)
    folder = artifact_folder(None, folder, data.name)
    if resume:
        checkpoint = checkpoint or read_checkpoint(folder)
        if checkpoint is None:
            return nothing_to_resume(folder, progress)
        require_same_data(checkpoint, data, folder)
    return _train(data, config, folder, checkpoint, progress)


def _train(
    data: Dataset, asked: TrainConfig, folder: Path, checkpoint: Checkpoint | None, progress: Progress
) -> TrainedModel:
    config = replace(checkpoint.config, device=asked.device) if checkpoint else asked
    placement = replace(claim_device(config.device), half=not config.qat)
    recipe = recipe_of(config)
    progress.say(
        f"Data: {data.name} from {data.source}: {len(data.train):,} training and {len(data.test):,} test images, "
        f"{len(data.labels)} classes, SHA-256 {data.sha256[:12]}."
    )
    _say_which_run(folder, config, asked, checkpoint, progress)
    pipeline = InputPipeline(
        data.train, data.test, batch_size=recipe.batch_size, seed=config.seed, augmented=config.augment
    )
    with scope_of(strategy_of(placement)):
        if checkpoint:
            model = load_checkpoint_model(folder)
            state = replace(checkpoint, config=config)
        else:
            model = _new_model(config, data, placement, pipeline)
            state = Checkpoint(uuid.uuid4().hex[:8], config, data.as_dict(), _provenance(config, placement, data), ())
    progress.say(
        f"Model: {config.base or config.arch}, {model.count_params():,} parameters, on {placement}. "
        f"Recipe {recipe.name}: {recipe.optimizer}, batch {recipe.batch_size}, "
        f"learning rate {recipe.learning_rate:g}, {config.epochs} epochs{', rounding to int8' * config.qat}."
    )
    try:
        for number in range(state.epochs_done, config.epochs):
            entry = run_epoch(model, pipeline, number, config.epochs, progress)
            state = replace(state, history=(*state.history, entry))
            save_checkpoint(folder, state, model)
        result = write_result(folder, model, state, data)
    except KeyboardInterrupt:
        _keep_last_epoch(folder, state, data, progress)
        raise
    except TrainingError:
        if state.history:
            discard_checkpoint(folder)  # Gone on with, the same run would fail at the same step.
        raise
    discard_checkpoint(folder)
    progress.say(f"Test accuracy {result.record['test_accuracy']:.2%}. Saved {result.path}.")
    return result


def _new_model(config: TrainConfig, data: Dataset, placement: Placement, pipeline: InputPipeline) -> keras.Model:
    """Return the compiled model of epoch 0."""
    height, width, channels = data.train.images.shape[1:]
    build = adapt_model if config.base else build_model
    model = build(config, (height, width, channels), len(data.labels))
    if config.qat:
        model = fake_quantize(model)
    recipe = recipe_of(config)
    optimizer, loss = make_optimizer(recipe, pipeline.steps * config.epochs), Crossentropy(recipe.label_smoothing)
    if placement.precision != "float32":
        model = with_precision(model, placement.precision)
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        loss=loss,
        metrics=metrics(),
        jit_compile=False,  # XLA makes these small steps three times slower on a CPU.
        auto_scale_loss=False,
        steps_per_execution=1 if config.base else pipeline.steps_per_execution,  # A base of any size: the bar moves.
    )
    return model


def _keep_last_epoch(folder: Path, state: Checkpoint, data: Dataset, progress: Progress) -> None:
    """Write the files of the last finished epoch of an interrupted run, if it has one."""
    kept = read_checkpoint(folder)
    if kept is None or kept.run != state.run:
        progress.say("Stopped before an epoch was finished. Nothing was written.")
        return
    write_result(folder, load_checkpoint_model(folder), kept, data)
    where = "" if folder.parent == EXPORTS else f" --out {shlex.quote(str(folder))}"
    progress.say(
        f"Stopped after epoch {kept.epochs_done} of {kept.config.epochs}, which is kept in {folder}. "
        f"Continue with `edgeconv train --resume{where}`."
    )


def _say_which_run(
    folder: Path, config: TrainConfig, asked: TrainConfig, checkpoint: Checkpoint | None, progress: Progress
) -> None:
    if checkpoint:
        ignored = asked not in (config, TrainConfig(device=asked.device))
        progress.say(
            f"Continuing in {folder} after epoch {checkpoint.epochs_done} of {config.epochs}, with the options that "
            f"the run began with{', not with those given now' if ignored else ''}."
        )
    elif read_checkpoint(folder):
        progress.say(f"The unfinished run in {folder} is replaced when an epoch is finished; `--resume` continues it.")


def _provenance(config: TrainConfig, placement: Placement, data: Dataset) -> dict[str, Any]:
    return {
        "base": _base(Path(config.base), data) if config.base else None,
        "device": placement.as_dict(),
        "versions": versions(),
    }


def _base(file: Path, data: Dataset) -> dict[str, Any]:
    """Return what is known of a base, and its accuracy where it was tested on the same images."""
    found = {"file": file.name, "sha256": sha256_of(file)}
    result = read_result(file.parent) if file.name == KERAS_FILE else None
    if result is None or result.record.get("dataset", {}).get("sha256") != data.sha256:
        return found
    return {**found, "test_accuracy": result.record.get("test_accuracy")}


def _require_tensorflow() -> None:
    if keras.backend.backend() != "tensorflow":
        raise ConfigError(
            f"Training requires Keras on TensorFlow. Received: Keras on {keras.backend.backend()}. "
            "Set KERAS_BACKEND to tensorflow."
        )
