"""Detectors as stages on examples: what they detect beside what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest import Manifest
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers, Batch, Feeds
from edgeconv.parity.stage import Run, Stage
from edgeconv.runtime.suppression import detections_of

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.keras import KerasReference

VALUES_KEPT = 2**26
"""Numbers of a stage's answers that are compared: all boxes of thousands of pictures would not fit into the memory."""


def compared_by_detections(batches: Sequence[Batch], manifest: Manifest) -> tuple[Batch, ...]:
    """Return batches of which only the first are compared number by number, and all by what is detected."""
    sizes = [size if isinstance(size, int) else 1 for size in manifest.output.shape[1:2]]
    each = sizes[0] * (4 + len(manifest.labels))
    seen, made = 0, []
    for batch in batches:
        made.append(batch if seen * each < VALUES_KEPT else replace(batch, kept=(DETECTIONS,)))
        seen += batch.count
    return tuple(made)


def as_detector(stage: Stage, contract: Boxes) -> Stage:
    """Return a stage that has its detections among its answers."""

    def run(feeds: Feeds) -> Answers:
        return with_detections(stage.run(feeds), contract)

    return replace(stage, run=run, timing=stage.run)


def with_detections(outputs: Answers, contract: Boxes) -> Answers:
    """Return what is compared of the outputs of a detector's file, and its detections.

    Of suppressed boxes, two of almost equal scores may change places: only the scores, which come in their order, are
    compared as numbers.
    """
    compared = ("scores",) if contract.suppressed else ("boxes", "scores")
    return {**{name: outputs[name] for name in compared}, DETECTIONS: detections_of(contract, outputs)}


def detector_in_keras(reference: KerasReference, contract: Boxes) -> Run:
    """Return Keras' function with numpy behind it, whose answers are those of `with_detections`."""
    from edgeconv.conversion.detection.stages import found_in

    layout = reference.boxes
    if layout is None:
        raise ValueError("no detector")

    def run(feeds: Feeds) -> Answers:
        found = found_in(reference.run(feeds), feeds, layout)
        if contract.suppressed:
            return {"scores": found[DETECTIONS][..., 4], DETECTIONS: found[DETECTIONS]}
        return {name: found[name] for name in ("boxes", "scores", DETECTIONS)}

    return run
