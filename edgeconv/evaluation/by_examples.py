"""The ledger of a model of any task: its stages on examples, by their values, decisions and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from edgeconv.artifact import KERAS_FILE, committed
from edgeconv.datasets import DatasetSpec
from edgeconv.datasets.examples import Examples, open_examples
from edgeconv.errors import ArtifactError, ConfigError
from edgeconv.evaluation.detectors import as_detector, detector_in_keras, with_detections
from edgeconv.evaluation.emulation.devices import devices_named
from edgeconv.evaluation.emulation.stages import emulated_stages
from edgeconv.evaluation.labelled_images import as_stated
from edgeconv.evaluation.stages import keras_of, provider_stages
from edgeconv.manifest import Manifest
from edgeconv.parity.comparison import Answers, Feeds
from edgeconv.parity.examples import answered, compared_on, in_batches_of
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.own_metric import OwnMetric
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, answers_of, stage_of_tensors
from edgeconv.progress import Progress
from edgeconv.runtime.activation import pending_of
from edgeconv.runtime.files import ModelFiles
from edgeconv.runtime.golden import golden_arrays
from edgeconv.runtime.loading import has_reduced_range
from edgeconv.runtime.providers import CPU

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.keras import KerasReference

GOLDEN = "golden vectors"


def evaluate_examples(
    files: ModelFiles,
    dataset: DatasetSpec | None,
    *,
    max_drop: float | None,
    metric: OwnMetric | None = None,
    count: int | None,
    emulate: Sequence[str] = (),
    device: str = "auto",
    custom_objects: Sequence[str],
    progress: Progress,
) -> Ledger:
    """Run every stage of an artifact over examples, and judge.

    Args:
        files: of the artifact.
        dataset: where the examples lie, as `open_examples` reads it; None takes the golden vectors.
        max_drop: what of a metric a stage may lose, in percentage points of a share or percent of an error.
        metric: of the user's own, in place of those of the task.
        count: how many of the examples; None takes all.
        emulate: devices whose processors compute int8 too, as `evaluate` takes them.
        device: where the variants run beside the CPU, as `evaluate` takes it.
        custom_objects: classes and functions that the Keras model is made of.
        progress: hears which stages run.

    Raises:
        ConfigError: no examples are named, and there are no golden vectors; or there is no such device.
        ProviderError: a provider that was asked for runs none of the variants.
        DatasetError: the examples are absent or damaged, or do not fit the model.
    """
    manifest, known = files.manifest, dict[str, Answers]()
    # What may be missing is asked for before the work.
    others = provider_stages(files, device, partial(_stage, files), progress)
    others += [_compared(stage, manifest) for stage in _emulated(files, emulate)]
    if dataset is None:
        examples, expected = _golden(files)
        known = {"keras": expected}
    else:
        stated = as_stated(manifest, dataset, progress)
        examples = open_examples(dataset.dataset, stated, progress, count=count).first(count)
    progress.say(f"Data: {examples.source}, {examples.count:,} inputs")
    reference = keras_of(
        files, custom_objects, progress, instead="what it answered at the export" if known else files.variants[0]
    )
    stages = [_stage(files, name, CPU) for name in files.variants]
    if reference is not None:
        boxes = manifest.boxes
        run = _by_order(reference, manifest) if boxes is None else detector_in_keras(reference, boxes)
        known, keras = {}, Stage("keras", "tensorflow", run, _size_of(files), timed=False)
        stages.insert(0, keras)
    elif known:
        if pictured := [stage.name for stage in stages if stage.preparation is not None]:
            progress.say(f"{pictured[0]} is compared with {stages[0].name}: Keras' answers to pictures are not known.")
        stages.insert(0, Stage("keras", "tensorflow", stages[0].run, _size_of(files), timed=False))
    stages += others
    split = "golden" if dataset is None else "test"
    compared = compared_on(manifest, examples.inputs, examples.right, dataset=examples.name, split=split)
    first = stages[0]
    before = known.get(first.name)
    answers = answers_of(first, compared, progress) if before is None else in_batches_of(compared, before)
    return prove(
        stages,
        answered(compared, answers),
        max_drop=max_drop,
        kind="tensor",
        meaning=replace(Meaning.of(manifest), metric=metric),
        known={first.name: answers},
        progress=progress,
    )


def _golden(files: ModelFiles) -> tuple[Examples, Answers]:
    """Return the golden vectors of an artifact, and what Keras answered to them."""
    if files.samples is None:
        raise ConfigError(
            f"`evaluate` requires examples. Received: none, and `{files.path}` has no golden vectors. Name them with "
            "`--dataset`: an .npz of arrays by the names of its inputs and outputs, a .csv, or a folder."
        )
    manifest = files.manifest
    inputs, outputs = (manifest.input, *manifest.more_inputs), (manifest.output, *manifest.more_outputs)
    samples = golden_arrays(files.samples, [spec.name for spec in inputs], [spec.name for spec in outputs])
    answers = samples.outputs if manifest.boxes is None else with_detections(samples.outputs, manifest.boxes)
    return Examples(GOLDEN, GOLDEN, samples.inputs), answers


def _stage(files: ModelFiles, name: str, provider: str) -> Stage:
    """Return a variant on a provider."""
    manifest, model = files.manifest, files.read(name)
    stage = stage_of_tensors(
        name,
        model,
        provider=provider,
        batch=manifest.batch,
        reduced_range=has_reduced_range(manifest, name),
        preparation=manifest.preprocess,
        activation=pending_of(manifest),
        timeout=files.timeout_of(name, model),
        inside=manifest.variants[name].embeds if name in manifest.variants else None,
    )
    return _compared(stage, manifest)


def _emulated(files: ModelFiles, names: Sequence[str]) -> list[Stage]:
    return emulated_stages(files, devices_named(names), batch=files.manifest.batch, by_classes=False)


def _compared(stage: Stage, manifest: Manifest) -> Stage:
    """Return a stage with what it detects among its answers, where it is a detector."""
    boxes = manifest.boxes
    return stage if boxes is None or stage.preparation is not None else as_detector(stage, boxes)


def _by_order(reference: KerasReference, manifest: Manifest) -> Any:
    """Return Keras' function, its inputs and outputs by the names that the contract has for them."""
    inputs = [spec.name for spec in (manifest.input, *manifest.more_inputs)]
    outputs = [spec.name for spec in (manifest.output, *manifest.more_outputs)]
    if (len(inputs), len(outputs)) != (len(reference.inputs), len(reference.outputs)):
        raise ArtifactError(
            f"`{reference.path}` must have the {len(inputs)} inputs and {len(outputs)} outputs of its manifest. "
            f"Received: {len(reference.inputs)} and {len(reference.outputs)}. Export the model again."
        )

    def run(feeds: Feeds) -> Answers:
        own = {port.name: feeds[name] for port, name in zip(reference.inputs, inputs, strict=True)}
        return dict(zip(outputs, reference.run(own).values(), strict=True))

    return run


def _size_of(files: ModelFiles) -> int:
    path = committed(files.path / KERAS_FILE)
    return path.stat().st_size if path.is_file() else 0
