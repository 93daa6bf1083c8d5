"""The fifth step: every variant is held against Keras; one that answers otherwise ends the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edgeconv.artifact import FAILED_PARITY_FILE, TRAINING_FILE, write_json
from edgeconv.conversion.detection.stages import detector_stages, golden_detections
from edgeconv.conversion.explanation.explaining import explain
from edgeconv.conversion.explanation.table import Explanation
from edgeconv.conversion.steps.comparison import Conversion
from edgeconv.conversion.steps.keras_answers import keras_stage
from edgeconv.conversion.steps.training_record import TrainingRecord
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.errors import ParityError
from edgeconv.parity.accuracy import limit_of
from edgeconv.parity.golden import golden_arrays, golden_vectors
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import FAKE_QUANTIZED, FROM_FILE, Stage, on_images, stage_of, stage_of_tensors
from edgeconv.parity.training_gate import training_gate
from edgeconv.reading import read
from edgeconv.runtime.golden import ArraySamples, Samples
from edgeconv.tasks import CLASSES
from edgeconv.variants import VARIANTS

IMAGES_EXPLAINED = 8


@dataclass(frozen=True)
class ProvedExport:
    """Variants that may stand for the model.

    Attributes:
        conversion: the model, and its variants.
        ledger: how well each does.
        samples: golden vectors.
        explanation: how well each layer does in each variant, where that was asked for.
    """

    conversion: Conversion
    ledger: Ledger
    samples: Samples | ArraySamples
    explanation: Explanation | None


def prove_variants(conversion: Conversion) -> ProvedExport:
    """Hold the variants of a model against Keras.

    Raises:
        ParityError: a gate failed; the ledger is in `parity.failed.json`.
    """
    context, resolved = conversion.context, conversion.loaded.resolved
    reference, compared, config = context.reference, context.compared, context.config
    stages, known = _stages(context, resolved.source.size_bytes), dict(context.answers)
    if conversion.from_files is not None:
        known[FROM_FILE] = ({"scores": conversion.from_files},)
        stages.insert(1, replace(stages[0], name=FROM_FILE, timed=False))
    ledger = prove(
        stages,
        compared,
        max_drop=config.max_drop,
        kind=context.output_kind,
        meaning=context.meaning,
        known=known,
        progress=context.progress,
    )
    for search in [file.search for file in context.files.values() if file.search is not None]:
        ledger = replace(ledger, int8_search=search.as_dict())
    ledger = _with_training_gate(conversion, ledger)
    explanation = _explanation(context) if config.explain else None
    if not ledger.passed:
        failed = resolved.folder / FAILED_PARITY_FILE
        write_json(failed, ledger.as_dict())
        raise ParityError(
            f"`{resolved.source.path}` must keep its answers. Received: {ledger.failures()}. Nothing was exported; "
            f"read `{failed}`, or allow more with `--max-drop`.",
            ledger,
        )
    one_array = reference.takes_picture and len(reference.outputs) == 1
    if reference.boxes is not None:
        samples: Samples | ArraySamples = golden_detections(compared, reference, suppressed=config.nms)
    elif one_array:
        samples = golden_vectors(compared, stages[0].run, reference.batch)
    else:
        samples = golden_arrays(compared, reference.batch)
    return ProvedExport(conversion, ledger, samples, explanation)


def _with_training_gate(conversion: Conversion, ledger: Ledger) -> Ledger:
    """Add the gate of quantization-aware training, or say that nobody knows what that cost."""
    row = ledger.row(FAKE_QUANTIZED)
    if row is None or row.accuracy is None:
        return ledger
    context, training = conversion.context, conversion.loaded.resolved.source.training
    record = None if training is None else read(TrainingRecord, training, TRAINING_FILE)
    base = None if record is None or record.dataset.sha256 != ledger.sha256 else record.base
    if base is None or base.test_accuracy is None:
        context.progress.say(
            f"int8 is held against Keras as it was trained to be int8, {row.accuracy:.2%}. What the float model "
            "reached before that is not on record: compare the two."
        )
        return ledger
    gate = training_gate(ledger, base.test_accuracy, limit_of(CLASSES, context.config.max_drop))
    return ledger if gate is None else replace(ledger, gates=(*ledger.gates, gate))


def _stages(context: VariantContext, size_bytes: int) -> list[Stage]:
    """Return Keras, and each variant that was made."""
    reference, files = context.reference, context.files
    if context.compared.spreads is not None:
        keras = keras_stage(reference, size_bytes)
        if reference.boxes is not None:
            return [keras, *detector_stages(context, reference.boxes)]
        return [
            keras,
            *(
                stage_of_tensors(
                    name,
                    file.bytes,
                    batch=reference.batch,
                    reduced_range=file.reduced_range,
                    preparation=context.preparation,
                    activation=context.pending,
                    inside=file.embeds,
                    session=file.session,
                )
                for name, file in files.items()
            ),
        ]
    keras = Stage("keras", "tensorflow", on_images(reference.predict), size_bytes)
    variants = [
        stage_of(
            name,
            file.bytes,
            batch=reference.batch,
            reduced_range=file.reduced_range,
            preparation=context.preparation,
            session=file.session,
        )
        for name, file in files.items()
    ]
    trained = reference.with_fake_quantization
    if trained is None:
        return [keras, *variants]
    fake_quantized = Stage(FAKE_QUANTIZED, "tensorflow", on_images(trained.predict), size_bytes, timed=False)
    held = (replace(stage, against=FAKE_QUANTIZED) if _is_int8(stage.name, files) else stage for stage in variants)
    return [keras, fake_quantized, *held]


def _is_int8(name: str, files: Mapping[str, ConvertedFile]) -> bool:
    file = files[name]
    return file.quantized is not None or (file.embeds is not None and _is_int8(file.embeds, files))


def _explanation(context: VariantContext) -> Explanation:
    """Hold every layer against Keras, on a few of the images where there are some."""
    reference, feeds = context.reference, context.sample_inputs.batches[0].feeds
    if context.evaluation_set is not None:
        given, count = context.evaluation_set.batches[0].feeds, reference.batch or IMAGES_EXPLAINED
        feeds = {name: array[:count] for name, array in given.items()}
    models = {name: file.in_layers for name, file in context.files.items() if VARIANTS[name].explained}
    return explain(reference, feeds, models, progress=context.progress)
