"""The stages of an export, in this process: load, convert, quantize, prove, write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeconv.artifact import FAILED_PARITY_FILE, write_json
from edgeconv.config import ExportConfig
from edgeconv.conversion.contract import build_manifest, check_fit, preparation_of
from edgeconv.conversion.explanation.explaining import explain
from edgeconv.conversion.explanation.table import Explanation
from edgeconv.conversion.exported import ExportedModel
from edgeconv.conversion.graph.file_size import check_size
from edgeconv.conversion.graph.releases import target
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, arithmetic_of
from edgeconv.conversion.judged_images import find_calibration, find_evaluation_set
from edgeconv.conversion.keras import load_keras
from edgeconv.conversion.source import check_folder, find_data, find_source, own_folder
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.making import make_variants
from edgeconv.conversion.verification.user_inputs import fitted, read_inputs
from edgeconv.conversion.writing import write_artifact
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ParityError
from edgeconv.parity.golden import golden_vectors
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, on_images, stage_of, stage_of_tensors
from edgeconv.progress import SILENT, Progress
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
    images = find_evaluation_set(reference, data, calibration, config)
    context = VariantContext(reference, config, inputs, preparation, calibration, images, progress=progress)
    context = make_variants(context)
    reference, files, compared, kind = context.reference, context.files, context.compared, context.output_kind
    stages = _stages(context, source.size_bytes)
    ledger = prove(stages, compared, max_drop=config.max_drop, kind=kind, known=context.answers, progress=progress)
    for search in [file.search for file in files.values() if file.search is not None]:
        ledger = replace(ledger, int8_search=search.as_dict())
    explanation = _explain(context) if config.explain else None
    if not ledger.passed:
        write_json(folder / FAILED_PARITY_FILE, ledger.as_dict())
        raise ParityError(
            f"`{source.path}` must keep its answers. Received: {ledger.failures()}. Nothing was exported; "
            f"read `{folder / FAILED_PARITY_FILE}`, or allow more with `--max-drop`.",
            ledger,
        )
    samples = golden_vectors(compared, stages[0].run) if reference.is_classifier else None
    manifest = build_manifest(folder.resolve().name, source, reference, data, config, files, ledger, kind)
    manifest, ledger = write_artifact(folder, source, manifest, ledger, files, compared, samples)
    progress.say(release.sentence)
    return ExportedModel(folder, manifest, ledger, explanation)


def _explain(context: VariantContext) -> Explanation:
    """Hold every layer against Keras, on a few of the images where there are some."""
    reference, feeds = context.reference, context.sample_inputs.batches[0].feeds
    if context.evaluation_set is not None:
        feeds = context.evaluation_set.first(reference.batch or IMAGES_EXPLAINED).batches[0].feeds
    models = {name: file.model for name, file in context.files.items() if VARIANTS[name].explained}
    return explain(reference, feeds, models, progress=context.progress)


def _stages(context: VariantContext, size_bytes: int) -> list[Stage]:
    """Return Keras, and each variant that was made."""
    reference, files = context.reference, context.files
    if context.evaluation_set is None:
        keras = Stage("keras", "tensorflow", reference.run, size_bytes, timed=False)
        return [keras, *(stage_of_tensors(name, file.bytes) for name, file in files.items())]
    return [
        Stage("keras", "tensorflow", on_images(reference.predict), size_bytes),
        *(
            stage_of(name, file.bytes, batch=reference.batch, reduced_range=file.reduced_range)
            for name, file in files.items()
        ),
    ]
