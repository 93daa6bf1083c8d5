"""`evaluate`: the parity ledger of an artifact, made again on other data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeconv.artifact import KERAS_FILE, TRAINING_FILE
from edgeconv.config import check_max_drop
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ConfigError
from edgeconv.evaluation.by_examples import evaluate_examples
from edgeconv.evaluation.emulation.devices import devices_named
from edgeconv.evaluation.emulation.stages import emulated_stages
from edgeconv.evaluation.labelled_images import labelled_images
from edgeconv.evaluation.stages import bundle_stages, held_against, keras_of, keras_stages, provider_stages
from edgeconv.fitting import Fitting, fitting_of
from edgeconv.parity.comparison import Answers
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.own_metric import OwnMetric
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import FROM_FILE, Stage, stage_of
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.loading import find_model, has_reduced_range
from edgeconv.runtime.providers import CPU
from edgeconv.tasks import CLASSES, YES_NO

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.keras import KerasReference


def evaluate(
    model: str | Path | None = None,
    *,
    dataset: str | DatasetSpec | None = None,
    max_drop: float | None = None,
    metric: str | None = None,
    bundles: Sequence[str | Path] = (),
    images: int | None = None,
    emulate: Sequence[str] = (),
    device: str = "auto",
    loader: str | None = None,
    custom_objects: Sequence[str] = (),
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Ledger:
    """Run every stage of an artifact on labelled data, and compare accuracy and answers.

    The reference is the artifact's `model.keras`; without it or TensorFlow, it is fp32, and a message says so.
    Every variant runs on the CPU, and on other providers as `device` says.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest, else the shipped reference.
        dataset: labelled data; None takes the test split of the training data. For tasks other than classes, examples
            as `datasets.examples.open_examples` reads them; None takes the golden vectors.
        max_drop: accuracy that int8 may lose, in percentage points, 0 to 100; of other tasks, what a stage may lose of
            a metric, in percentage points of a share or percent of an error. None takes 0.2 points of accuracy, and 1
            of what int8 of other tasks is judged by.
        metric: a function of the user's, ``"module:function"``, of outputs and targets, higher is better.
        bundles: folders of built bundles of this model; each runs in its own language.
        images: use only the first so many test images; None takes all.
        emulate: processors to run int8 on too, under QEMU: ``"pi4"``, ``"pi5"``, ``"avx2"`` or ``"all"``.
        device: where the variants run beside the CPU: ``"auto"``, fp32 on every GPU provider that opens it; ``"cpu"``,
            nowhere; ``"gpu"`` or a provider such as ``"webgpu"``, each variant that runs whole on it.
        loader: how the user's own code reads a picture, as `ExportConfig.loader`: Keras answers the files so too.
        custom_objects: classes and functions that the Keras model is made of, as ``"module:Name"`` or ``"module"``.
        timeout: seconds that a call of a variant may take; None: see `Predictor`.
        progress: hears which stages run.

    Returns:
        The ledger; ask its `passed` whether all gates hold.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: no data are given, and none are recorded; there is no such device, or nothing in int8 for it.
        DatasetError: the data are absent, damaged, or do not fit the model.
        InferenceTimeoutError: a call takes too long.
        ProviderError: a device cannot be emulated here, or a provider that was asked for runs none of the variants.

    Example:
        >>> edgeconv.evaluate("exported/mnist").passed  # doctest: +SKIP
        True
    """
    check_max_drop(max_drop)
    if images is not None and images < 1:
        raise ConfigError(f"`images` must be at least 1. Received: {images}. Leave it out for the whole test split.")
    files = read_files(Path(model) if model is not None else find_model(), timeout)
    progress.say(f"Model: {files.path}")
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    if _takes_examples(files, spec):
        if bundles or loader is not None:
            raise ConfigError(
                f"`bundle` and `loader` are for classes. Received: `{files.path}` of the task "
                f"{files.manifest.task}. Leave them out; a bundle has its own self-test."
            )
        return evaluate_examples(
            files,
            spec,
            max_drop=max_drop,
            metric=OwnMetric.named(metric),
            count=images,
            emulate=emulate,
            device=device,
            custom_objects=custom_objects,
            progress=progress,
        )
    # What may be missing is asked for before the work.
    emulated = emulated_stages(files, devices_named(emulate), batch=files.manifest.batch, by_classes=True)
    others = provider_stages(files, device, partial(_stage, files), progress)
    compared = labelled_images(files, spec, progress).first(images)
    reference = keras_of(files, custom_objects, progress, instead=files.variants[0])
    stages, known = keras_stages(reference), dict[str, tuple[Answers, ...]]()
    if reference is not None:
        from edgeconv.conversion.steps.keras_answers import say_if_at_chance

        say_if_at_chance(reference, compared, progress)
    if loader is not None:
        stated = Fitting() if spec is None else spec.fitting
        known[FROM_FILE] = _from_files(reference, compared.files, loader, stated, progress)
        stages.append(replace(stages[0], name=FROM_FILE, timed=False))
    stages += [_stage(files, name, CPU) for name in files.variants]
    stages += others
    stages += bundle_stages(files, bundles)
    stages += emulated
    meaning = replace(Meaning.of(files.manifest), metric=OwnMetric.named(metric))
    kind = files.manifest.output.kind
    return prove(stages, compared, max_drop=max_drop, kind=kind, meaning=meaning, known=known, progress=progress)


def _stage(files: ModelFiles, name: str, provider: str) -> Stage:
    """Return a variant of a classifier on a provider."""
    model = files.read(name)
    stage = stage_of(
        name,
        model,
        provider=provider,
        batch=files.manifest.batch,
        reduced_range=has_reduced_range(files.manifest, name),
        preparation=files.manifest.preprocess,
        timeout=files.timeout_of(name, model),
    )
    return replace(stage, against=held_against(files.manifest, name))


def _takes_examples(files: ModelFiles, dataset: DatasetSpec | None) -> bool:
    """Whether a model is judged by examples of its task, and not by pictures with a class each."""
    manifest = files.manifest
    if not manifest.takes_picture or manifest.task not in {CLASSES, YES_NO}:
        return True
    return dataset is None and manifest.task == YES_NO and not (files.path / TRAINING_FILE).is_file()


def _from_files(
    reference: KerasReference | None, paths: Sequence[Path], loader: str, stated: Fitting, progress: Progress
) -> tuple[Answers, ...]:
    """Return Keras' answers to files that are read by the user's own loader."""
    if reference is None:
        raise ConfigError(
            f"`loader` requires the artifact's {KERAS_FILE}, and Keras to run it. Received: one is missing. Leave "
            "`loader` out."
        )
    from edgeconv.conversion.steps.keras_answers import answers_from_files

    return ({"scores": answers_from_files(reference, paths, loader, fitting_of(stated, loader), progress)},)
