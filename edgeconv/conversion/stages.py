"""The stages of an export, in this process: load, convert, quantize, prove, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import FAILED_PARITY_FILE, write_json
from edgeconv.config import ExportConfig
from edgeconv.conversion.contract import build_manifest, check_fit, preparation_of
from edgeconv.conversion.explanation.explaining import explain
from edgeconv.conversion.explanation.table import Explanation
from edgeconv.conversion.exported import ExportedModel
from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.graph.releases import target
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, arithmetic_of
from edgeconv.conversion.judged_images import find_calibration, find_evidence
from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.source import Source, check_folder, find_data, find_source, own_folder
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.variants.making import make_variants
from edgeconv.conversion.verification.agreement import BATCHES, Trials
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.conversion.writing import SAMPLES, golden_samples, write_artifact
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ParityError
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.prove import Evidence, Stage, prove, stage_of
from edgeconv.parity.trial_ledger import ledger_of_trials
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.golden import Samples
from edgeconv.variants import VARIANTS

IMAGES_EXPLAINED = 8


def export_here(
    model: str | Path | None = None,
    *,
    config: ExportConfig,
    dataset: str | DatasetSpec | None = None,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> ExportedModel:
    """Export in this process; see `exporter.export`."""
    release = target(opset=config.opset, min_runtime=config.min_runtime)
    arithmetic_of(config.target or DEFAULT_TARGET)  # One that int8 cannot win on is refused before any work.
    source = find_source(model, progress)
    folder = Path(out) if out is not None else own_folder(source)
    check_folder(folder, source)
    progress.say(f"Model: {source.path}")
    arrays = None if config.input_data is None else read_inputs(Path(config.input_data))
    reference = load_keras(
        source.path,
        input_range=config.input_range,
        custom_objects=config.custom_objects,
        unsafe=config.unsafe,
        data=arrays,
    )
    reference = replace(reference, batch=config.batch)
    data = find_data(source, dataset, progress)
    check_fit(reference, data, config)
    check_size(4 * reference.parameters, str(source.path))
    inputs = None if arrays is None else fitted(arrays, reference.inputs, config.input_data or "")
    preparation = preparation_of(source, reference, data)
    calibration = find_calibration(reference, preparation, data, config, progress)
    evidence = find_evidence(reference, data, calibration, config)
    context = VariantContext(reference, config, inputs, preparation, calibration, evidence, progress=progress)
    context = make_variants(context)
    reference, files, trials, kind = context.reference, context.files, context.trials, context.output_kind
    ledger = _prove(source, reference, files, evidence, trials, kind, config, context.answers, progress)
    for search in [file.search for file in files.values() if file.search is not None]:
        ledger = replace(ledger, int8_search=search.as_dict())
    explanation = _explain(reference, files, evidence, trials, progress) if config.explain else None
    if not ledger.passed:
        write_json(folder / FAILED_PARITY_FILE, ledger.as_dict())
        raise ParityError(
            f"`{source.path}` must keep its answers. Received: {ledger.failures()}. Nothing was exported; "
            f"read `{folder / FAILED_PARITY_FILE}`, or allow more with `--max-drop`.",
            ledger,
        )
    samples = golden_samples(evidence, reference.predict) if evidence else None
    if samples is None and reference.is_classifier:
        samples = _golden_trial(reference, trials)
    manifest = build_manifest(folder.resolve().name, source, reference, data, config, files, ledger, kind)
    manifest, ledger = write_artifact(folder, source, manifest, ledger, files, evidence, samples)
    progress.say(release.sentence)
    return ExportedModel(folder, manifest, ledger, explanation)


def _explain(
    reference: KerasReference,
    files: Mapping[str, ConvertedFile],
    evidence: Evidence | None,
    trials: Trials,
    progress: Progress,
) -> Explanation:
    """Hold every layer against Keras, on a few of the images where there are some."""
    feeds = trials.trials[0].feeds
    if evidence is not None:
        feeds = {reference.inputs[0].name: evidence.images[: reference.batch or IMAGES_EXPLAINED]}
    models = {name: file.model for name, file in files.items() if VARIANTS[name].explained}
    return explain(reference, feeds, models, progress=progress)


def _golden_trial(reference: KerasReference, trials: Trials) -> Samples:
    """Return random images as golden vectors, or the user's."""
    trial = trials.trials[0]
    (images,), (answers,) = trial.feeds.values(), trial.expected.values()
    if trials.source is not None and reference.batch is None:
        name, images = trials.source.draw(SAMPLES, images.shape[1]).popitem()
        # A few at once, as in the trials: large pictures of a deep network take gigabytes.
        parts = [images[start : start + BATCHES[0]] for start in range(0, SAMPLES, BATCHES[0])]
        answers = np.concatenate([next(iter(reference.run({name: part}).values())) for part in parts])
    return Samples(images, np.full(len(images), -1, np.int64), answers)


def _prove(
    source: Source,
    reference: KerasReference,
    files: Mapping[str, ConvertedFile],
    evidence: Evidence | None,
    trials: Trials,
    kind: str,
    config: ExportConfig,
    known: Mapping[str, NDArray[np.float32]],
    progress: Progress,
) -> Ledger:
    size = source.size_bytes
    if evidence is None:
        return ledger_of_trials(size, {name: file.bytes for name, file in files.items()}, trials)
    stages = [Stage("keras", "tensorflow", reference.predict, size)]
    for name, file in files.items():
        stages.append(stage_of(name, file.bytes, batch=reference.batch, reduced_range=file.reduced_range))
    return prove(stages, evidence, max_drop=config.max_drop, kind=kind, known=known, progress=progress)
