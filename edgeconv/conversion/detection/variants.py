"""The variants of a detector: decoding behind each, suppression where it is asked for, and what Keras finds itself."""

from __future__ import annotations

from dataclasses import replace

import onnx

from edgeconv.conversion.detection.operators import with_detections
from edgeconv.conversion.detection.plausibility import check_scores, doubt_of_boxes
from edgeconv.conversion.detection.stages import found_in
from edgeconv.conversion.keras.boxes.layout import BOXES, SCORES, BoxLayout
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.conversion.verification.structure import verify_structure
from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.values import spread_of
from edgeconv.variants import REFERENCE


def with_boxes(context: VariantContext) -> VariantContext:
    """Return the variants of a detector with boxes and scores of one form as their outputs, verified.

    Each was held against Keras by the model's own outputs; what is put behind these is held against numpy's decoding
    of Keras' outputs by the ledger.

    Raises:
        ConfigError: what is stated of the scores cannot be.
        UnsupportedModelError: ONNX Runtime does not load a file.
    """
    layout = context.reference.boxes
    if layout is None:
        raise ValueError("no detector")
    context.progress.say("Decoding boxes" + (" and suppressing them" if context.config.nms else ""))
    samples = answered_by_keras(context.sample_inputs, layout)
    files = {name: _finished(context, file, layout) for name, file in context.files.items()}
    files[REFERENCE] = replace(files[REFERENCE], sample_inputs=samples)
    _check_plausible(context, samples, layout)
    return replace(context, files=files)


def _finished(context: VariantContext, file: ConvertedFile, layout: BoxLayout) -> ConvertedFile:
    height, width, _ = context.reference.inputs[0].shape
    size = None if height is None or width is None else (height, width)

    def verified(suppressed: bool) -> tuple[onnx.ModelProto, bytes]:
        model = with_detections(file.model, layout, size, suppressed=suppressed)
        reference = context.reference
        ports = reference.file_outputs(suppressed=suppressed)
        return model, verify_structure(model, str(reference.path), reference.inputs, ports)

    model, data = verified(False)
    before = (file.model, model)
    if context.config.nms:
        model, data = verified(True)
    return replace(file, model=model, bytes=data, before=before, session=None)


def answered_by_keras(compared: ComparisonSet, layout: BoxLayout) -> ComparisonSet:
    """Return a comparison set whose expected answers have the boxes and scores that Keras' outputs hold, too."""
    batches = tuple(
        replace(batch, expected=found_in(batch.expected, batch.feeds, layout)) for batch in compared.batches
    )
    spreads = {name: spread_of(batch.expected[name] for batch in batches) for name in (BOXES, SCORES)}
    return replace(compared, batches=batches, spreads={**(compared.spreads or {}), **spreads})


def _check_plausible(context: VariantContext, samples: ComparisonSet, layout: BoxLayout) -> None:
    check_scores(context.reference.path, layout, samples)
    if (doubt := doubt_of_boxes(layout, samples)) is not None:
        context.progress.say(doubt)
