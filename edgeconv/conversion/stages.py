"""The stages of an export, in this process: load, convert, quantize, prove, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeconv.artifact import FAILED_PARITY_FILE, write_json
from edgeconv.config import ExportConfig
from edgeconv.conversion.contract import ConvertedFile, build_manifest, check_fit, kind_of_output, preparation_of
from edgeconv.conversion.explanation.explaining import explain
from edgeconv.conversion.explanation.table import Explanation
from edgeconv.conversion.exported import ExportedModel
from edgeconv.conversion.float16.narrowing import FP16_TOLERANCE
from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.graph.releases import target
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, arithmetic_of
from edgeconv.conversion.judged_images import find_calibration, find_evidence
from edgeconv.conversion.keras import KerasReference, load_keras
from edgeconv.conversion.source import Source, check_folder, find_data, find_source, own_folder
from edgeconv.conversion.variants.e2e import make_embedded
from edgeconv.conversion.variants.fp16 import make_fp16
from edgeconv.conversion.variants.fp32 import convert_fp32
from edgeconv.conversion.variants.int8 import Int8Variants, make_int8_variants
from edgeconv.conversion.variants.int8_fast import FAST
from edgeconv.conversion.verification.agreement import BATCHES, TOLERANCE, Trials
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.conversion.writing import SAMPLES, golden_samples, write_artifact
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ParityError
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.prove import Evidence, Stage, prove, stage_of
from edgeconv.parity.trial_ledger import ledger_of_trials
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import E2E
from edgeconv.runtime.golden import Samples

TOLERANCES = {"fp32": TOLERANCE, "fp16": FP16_TOLERANCE}
"""What a variant's answers may lose, as a share of their spread, where no labelled images are at hand."""

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
    arithmetic = arithmetic_of(config.target or DEFAULT_TARGET)
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
    reference, fp32, trials = convert_fp32(
        reference, opset=release.opset, ir_version=release.ir_version, seed=config.seed, data=inputs, progress=progress
    )
    files = {"fp32": fp32}
    if config.fp16:
        progress.say("Converting to float16")
        files["fp16"] = make_fp16(fp32, reference, trials)
    preparation = preparation_of(source, reference, data)
    calibration = find_calibration(reference, preparation, data, config, progress)
    evidence = find_evidence(reference, data, calibration, config)
    int8 = Int8Variants()
    if config.quantize and calibration is not None and evidence is not None:
        int8 = make_int8_variants(fp32, reference, calibration, evidence, arithmetic, config=config, progress=progress)
        files |= int8.files
    kind = kind_of_output(next(iter(trials.trials[0].expected.values()))) if reference.is_classifier else "tensor"
    if config.embed_preprocessing:
        files[E2E] = make_embedded(source, files, preparation, kind, progress)
    ledger = _prove(source, reference, files, evidence, trials, kind, config, int8.answers, progress)
    ledger = ledger if int8.search is None else replace(ledger, int8_search=int8.search.as_dict())
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
    files: dict[str, ConvertedFile],
    evidence: Evidence | None,
    trials: Trials,
    progress: Progress,
) -> Explanation:
    """Hold every layer against Keras, on a few of the images where there are some."""
    feeds = trials.trials[0].feeds
    if evidence is not None:
        feeds = {reference.inputs[0].name: evidence.images[: reference.batch or IMAGES_EXPLAINED]}
    return explain(
        reference, feeds, {name: files[name].model for name in files if name not in {FAST, E2E}}, progress=progress
    )


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
    files: dict[str, ConvertedFile],
    evidence: Evidence | None,
    trials: Trials,
    kind: str,
    config: ExportConfig,
    known: Mapping[str, NDArray[np.float32]],
    progress: Progress,
) -> Ledger:
    size = source.size_bytes
    if evidence is None:
        return ledger_of_trials(size, {name: file.bytes for name, file in files.items()}, trials, TOLERANCES)
    stages = [Stage("keras", "tensorflow", reference.predict, size)]
    for name, file in files.items():
        stages.append(stage_of(name, file.bytes, batch=reference.batch, reduced_range=file.reduced_range))
    return prove(stages, evidence, max_drop=config.max_drop, kind=kind, known=known, progress=progress)
