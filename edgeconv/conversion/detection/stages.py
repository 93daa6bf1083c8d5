"""Detectors as stages of the ledger: their own outputs, what is decoded of them, and what is detected."""

from __future__ import annotations

import numpy as np

from edgeconv.boxes import DETECTIONS
from edgeconv.conversion.detection.decoding import decoded
from edgeconv.conversion.keras import KerasReference
from edgeconv.conversion.keras.boxes.layout import BOXES, CLASSES, SCORES, BoxLayout
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers, ComparisonSet, Feeds
from edgeconv.parity.golden import golden_arrays
from edgeconv.parity.stage import Stage, stage_of_tensors
from edgeconv.runtime.golden import ArraySamples
from edgeconv.runtime.suppression import detections_of


def detector_stages(context: VariantContext, layout: BoxLayout) -> list[Stage]:
    """Return the variants of a detector as stages.

    Args:
        context: the model, and its variants.
        layout: where its outputs hold boxes and scores.
    """
    contract = layout.contract(suppressed=context.config.nms)
    return [_stage(name, file, contract, context) for name, file in context.files.items()]


def found_in(outputs: Answers, feeds: Feeds, layout: BoxLayout) -> Answers:
    """Return a model's own outputs with the boxes, the scores and the detections that numpy finds in them."""
    height, width = next(iter(feeds.values())).shape[1:3]
    found = decoded(layout, outputs, (height, width))
    return {**outputs, **found, DETECTIONS: detections_of(layout.contract(suppressed=False), found)}


def golden_detections(compared: ComparisonSet, reference: KerasReference, *, suppressed: bool) -> ArraySamples:
    """Return golden vectors of a detector, with what its file is to answer."""
    vectors = golden_arrays(compared, reference.batch)
    outputs = dict(vectors.outputs)
    if suppressed:
        rows = outputs[DETECTIONS]
        outputs |= {BOXES: rows[..., :4], SCORES: rows[..., 4], CLASSES: rows[..., 5].astype(np.int32)}
    names = [port.name for port in reference.file_outputs(suppressed=suppressed)]
    return ArraySamples(vectors.inputs, {name: outputs[name] for name in names})


def _stage(name: str, file: ConvertedFile, contract: Boxes, context: VariantContext) -> Stage:
    """Return a variant whose outputs are seen before and behind the decoding, and its detections behind all."""
    batch = context.reference.batch
    whole = stage_of_tensors(name, file.bytes, batch=batch, preparation=context.preparation, inside=file.embeds)
    if whole.preparation is not None:
        return whole
    parts = [stage_of_tensors(name, model.SerializeToString(), batch=batch) for model in file.before]

    def run(feeds: Feeds) -> Answers:
        answers = {key: array for part in parts for key, array in part.run(feeds).items()}
        return {**answers, DETECTIONS: detections_of(contract, whole.run(feeds))}

    return Stage(name, whole.provider, run, whole.size_bytes, timing=whole.run)
