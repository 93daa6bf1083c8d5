"""`evaluate`: the parity ledger of an artifact, made again on any labelled set."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import onnxruntime as ort

from edgeconv.artifact import KERAS_FILE
from edgeconv.config import check_max_drop
from edgeconv.conversion.steps.source import Source, find_data, record_of
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ConfigError, DatasetError, ProviderError
from edgeconv.evaluation.emulation.devices import devices_named
from edgeconv.evaluation.emulation.stages import emulated_stages
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, on_images, stage_of
from edgeconv.preparation import Fitting, Preparation
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.loading import find_files, find_model, has_reduced_range
from edgeconv.runtime.providers import CPU, candidates
from edgeconv.variants import REFERENCE

KERAS_PACKAGES = ("tensorflow", "keras", "tf2onnx")


def evaluate(
    model: str | Path | None = None,
    *,
    dataset: str | DatasetSpec | None = None,
    max_drop: float = 0.2,
    bundles: Sequence[str | Path] = (),
    images: int | None = None,
    emulate: Sequence[str] = (),
    custom_objects: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Ledger:
    """Run every stage of an artifact over the test split of a labelled set, and judge.

    The reference is the artifact's `model.keras`; where that or TensorFlow is not at hand, it is fp32, said aloud.
    fp32 runs on the CPU and on every GPU provider that opens it.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest, else the shipped reference.
        dataset: labelled data; None takes those that the model was trained on.
        max_drop: accuracy that int8 may lose, in percentage points, 0 to 100.
        bundles: folders of bundles of this model, built, each run in its own language.
        images: how many of the test images, from the first on; None takes all.
        emulate: devices whose processors compute int8 too, under QEMU: ``"pi4"``, ``"pi5"``, ``"avx2"`` or ``"all"``.
        custom_objects: classes and functions that the Keras model is made of, as ``"module:Name"`` or ``"module"``.
        progress: hears which stages run.

    Returns:
        The ledger. Whether its gates hold is for the caller to ask.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: no data are given, and none are recorded; there is no such device, or nothing in int8 for it.
        DatasetError: the data are absent, damaged, or do not fit the model.
        ProviderError: a device cannot be emulated here.

    Example:
        >>> edgeconv.evaluate("exported/mnist").passed  # doctest: +SKIP
        True
    """
    check_max_drop(max_drop)
    if images is not None and images < 1:
        raise ConfigError(f"`images` must be at least 1. Received: {images}. Leave it out for the whole test split.")
    files = find_files(Path(model) if model is not None else find_model())
    progress.say(f"Model: {files.path}")
    # What may be missing is asked for before the work.
    fixed = files.manifest.input.shape[0]
    batch = fixed if isinstance(fixed, int) else None
    emulated = emulated_stages(files, devices_named(emulate), batch=batch)
    compared = _test_images(files, dataset, progress).first(images)
    stages = [
        *_keras_stage(files, custom_objects, progress),
        *(
            stage_of(
                name,
                files.read(name),
                batch=batch,
                reduced_range=has_reduced_range(files.manifest, name),
                preparation=files.manifest.preprocess,
            )
            for name in files.variants
        ),
    ]
    stages += _gpu_stages(files, batch, progress)
    stages += _bundle_stages(files, bundles)
    stages += emulated
    return prove(stages, compared, max_drop=max_drop, kind=files.manifest.output.kind, progress=progress)


def _test_images(files: ModelFiles, dataset: str | DatasetSpec | None, progress: Progress) -> ComparisonSet:
    keras_path = files.path / KERAS_FILE if files.path.is_dir() else files.path
    source = Source(keras_path, "", record_of(keras_path, progress))
    data = find_data(source, _fitted(dataset, files.manifest.preprocess), progress)
    if data is None:
        raise ConfigError(
            f"`evaluate` requires labelled data. Received: none, and `{files.path}` has no record of its training. "
            "Name them with `--dataset`."
        )
    shape, wanted = data.test.images.shape[1:], files.manifest.input.shape[1:]
    if any(isinstance(size, int) and size != got for size, got in zip(wanted, shape, strict=True)):
        raise DatasetError(
            f"`{files.path}` requires images of {wanted}. Received: {shape} in {data.source}. Choose other data."
        )
    if len(data.labels) != len(files.manifest.labels):
        raise DatasetError(
            f"`{files.path}` requires data of {len(files.manifest.labels)} classes. Received: {len(data.labels)} in "
            f"{data.source}. Choose other data."
        )
    progress.say(f"Data: {data.source}, {len(data.test.labels):,} test images, sha256 {data.sha256[:12]}")
    test = data.test
    return ComparisonSet.of_images(test.images, test.labels, dataset=data.name, split="test", sha256=data.sha256)


def _fitted(dataset: str | DatasetSpec | None, preparation: Preparation | None) -> str | DatasetSpec | None:
    """Return the data that are asked for, their pictures fitted as the model says where nobody says otherwise."""
    if dataset is None or preparation is None:
        return dataset
    spec = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    takes_fitting = preparation.kind == "resize" and spec.preparation != "digit" and spec.is_path
    return replace(spec, **asdict(Fitting.of(preparation))) if takes_fitting and not spec.fitting.is_stated else spec


def _keras_stage(files: ModelFiles, custom_objects: Sequence[str], progress: Progress) -> list[Stage]:
    path = files.path / KERAS_FILE
    missing = [name for name in KERAS_PACKAGES if importlib.util.find_spec(name) is None]
    if missing or not files.path.is_dir() or not path.is_file():
        why = f"{', '.join(missing)} not installed" if missing else f"no {KERAS_FILE} beside it"
        progress.say(f"Keras is left out ({why}): the reference is {files.variants[0]}.")
        return []
    from edgeconv.conversion.keras import load_keras

    provenance = files.manifest.provenance
    input_range = provenance.input_range if provenance else None
    reference = load_keras(
        path,
        input_range=input_range,
        custom_objects=custom_objects,
        task=files.manifest.task,
        pictures=len(files.manifest.input.shape) == 4,
    )
    return [Stage("keras", "tensorflow", on_images(reference.predict), path.stat().st_size)]


def _gpu_stages(files: ModelFiles, batch: int | None, progress: Progress) -> list[Stage]:
    stages = []
    for provider in candidates("auto", ort.get_available_providers()):
        if provider == CPU or REFERENCE not in files.variants:
            continue
        try:
            stages.append(stage_of(REFERENCE, files.read(REFERENCE), provider=provider, batch=batch))
        except ProviderError as error:
            progress.say(f"{provider} is left out: {error}")
    return stages


def _bundle_stages(files: ModelFiles, folders: Sequence[str | Path]) -> list[Stage]:
    if not folders:
        return []
    from edgeconv.bundling.running import runnable

    bundles = [runnable(Path(folder)) for folder in folders]
    for bundle in bundles:
        if bundle.labels != files.manifest.labels:
            raise ConfigError(
                f"`{bundle.path}` must be a bundle of `{files.path}`. Received: other classes. Bundle it again."
            )
    return [
        Stage(bundle.target, CPU, on_images(bundle.run), bundle.size_bytes, gives_probabilities=True, timed=False)
        for bundle in bundles
    ]
