"""Detectors as stages on examples: what they detect beside what they answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers, Feeds
from edgeconv.parity.stage import Run, Stage
from edgeconv.runtime.suppression import detections_of

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.keras import KerasReference


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
