"""The stages of an artifact: Keras where it is at hand, and whatever else answers for the model."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeconv.artifact import KERAS_FILE, committed
from edgeconv.boxes import BoxStatement
from edgeconv.errors import ConfigError, ProviderError
from edgeconv.manifest import Manifest
from edgeconv.parity.stage import FAKE_QUANTIZED, Stage, on_images
from edgeconv.progress import Progress
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.fitness import check_fitness
from edgeconv.runtime.loading import providers_for
from edgeconv.runtime.providers import CPU, short_name
from edgeconv.variants import REFERENCE, on_device

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.keras import KerasReference

KERAS_PACKAGES = ("tensorflow", "keras", "tf2onnx")


def keras_of(
    files: ModelFiles, custom_objects: Sequence[str], progress: Progress, *, instead: str
) -> KerasReference | None:
    """Return the artifact's Keras model, or None where that or TensorFlow is not at hand, said aloud.

    Args:
        files: of the artifact.
        custom_objects: classes and functions that the model is made of.
        progress: hears why it is left out.
        instead: what the reference is then, in words.
    """
    path = committed(files.path / KERAS_FILE)
    missing = [name for name in KERAS_PACKAGES if importlib.util.find_spec(name) is None]
    if missing or not files.path.is_dir() or not path.is_file():
        why = f"{', '.join(missing)} not installed" if missing else f"no {KERAS_FILE} beside it"
        progress.say(f"Keras is left out ({why}): the reference is {instead}.")
        return None
    from edgeconv.conversion.tracing.library import tensorflow_opened

    with tensorflow_opened():
        from edgeconv.conversion.keras import load_keras

    provenance, boxes = files.manifest.provenance, files.manifest.boxes
    return load_keras(
        path,
        input_range=provenance.input_range if provenance else None,
        custom_objects=custom_objects,
        task=files.manifest.task,
        pictures=len(files.manifest.input.shape) == 4,
        boxes=None if boxes is None else BoxStatement.parse(boxes.stated),
        labels=len(files.manifest.labels),
    )


def keras_stages(reference: KerasReference | None) -> list[Stage]:
    """Return Keras as a stage of scores of classes, or nothing where it is not at hand.

    Of a model that was trained to be int8 there are two: without fake quantization, and with it.
    """
    if reference is None:
        return []
    keras = Stage("keras", "tensorflow", on_images(reference.predict), reference.path.stat().st_size)
    trained = reference.with_fake_quantization
    if trained is None:
        return [keras]
    return [keras, replace(keras, name=FAKE_QUANTIZED, run=on_images(trained.predict), timed=False)]


def held_against(manifest: Manifest, variant: str) -> str:
    """Return the stage that a variant is held against where there is one of that name; empty: the reference."""
    made = manifest.variants.get(variant)
    if made is not None and made.embeds is not None:
        return held_against(manifest, made.embeds)
    return "" if made is None or made.quantization is None else FAKE_QUANTIZED


def provider_stages(
    files: ModelFiles, device: str, stage_on: Callable[[str, str], Stage], progress: Progress
) -> list[Stage]:
    """Return the variants of a model on other providers than the CPU's.

    Args:
        files: of the artifact.
        device: ``"auto"``: fp32 on every GPU provider that opens it; ``"cpu"``: nothing; ``"gpu"`` or a provider: each
            variant that runs whole on it.
        stage_on: makes the stage of a variant, by its name, on a provider.
        progress: hears what is left out, and why.

    Raises:
        ConfigError: there is no such device.
        ProviderError: a device was asked for, and runs none of the variants.
    """
    stages, reasons = [], []
    for provider in providers_for(device):
        names = [REFERENCE] if device == "auto" else files.variants
        for name in names if provider != CPU else ():
            if name not in files.variants:
                continue
            try:
                check_fitness(files.manifest, name, provider)
                stages.append(replace(stage_on(name, provider), name=on_device(name, short_name(provider))))
            except ProviderError as error:
                reasons.append(str(error))
                progress.say(f"{name} on {short_name(provider)} is left out: {error}")
    if reasons and not stages and device != "auto":
        raise ProviderError(reasons[0])
    return stages


def bundle_stages(files: ModelFiles, folders: Sequence[str | Path]) -> list[Stage]:
    """Return built bundles of a model, each run in its own language.

    Raises:
        ConfigError: one is a bundle of another model.
    """
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
