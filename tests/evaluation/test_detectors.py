"""What is kept of the answers of a detector."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")

from edgeconv.boxes import DETECTIONS
from edgeconv.evaluation import detectors
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity import examples
from edgeconv.parity.stage import Stage, answers_of

OUTPUTS = {"boxes": np.float32([[[0, 0, 9, 9], [0, 0, 9, 8]]]), "scores": np.float32([[[0.5, 0], [0.75, 0.25]]])}


def test_all_is_compared_of_the_first_pictures_and_detections_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "VALUES_KEPT", 2 * 8400 * 6)
    monkeypatch.setattr(examples, "images_at_once", lambda _: 1)
    manifest: Any = SimpleNamespace(
        output=SimpleNamespace(name="boxes", shape=("batch", 8400, 4)), labels=("a", "b"), boxes=object()
    )
    inputs = {"image": np.zeros((4, 4, 4, 3))}
    compared = examples.compared_on(manifest, inputs, dataset="x", split="test")
    stage = detectors.as_detector(Stage("fp32", "cpu", lambda _: OUTPUTS, 0), Boxes("xyxy", False, 0.1, 0.5, 3, ""))
    answers = answers_of(stage, compared)
    assert [set(part) for part in answers] == [{"boxes", "scores", DETECTIONS}] * 2 + [{DETECTIONS}] * 2
    assert set(examples.answered(compared, answers).spreads or {}) == {"boxes", "scores"}
    np.testing.assert_array_equal(answers[3][DETECTIONS][0, :, 4:], np.float32([[0.75, 0], [0.25, 1], [0, -1]]))


def test_of_suppressed_boxes_the_order_may_change() -> None:
    suppressed = Boxes("xyxy", True, 0.1, 0.5, 2, "")
    outputs = {**OUTPUTS, "scores": np.float32([[0.75, 0.5]]), "classes": np.int32([[1, 0]])}
    kept = detectors.with_detections(outputs, suppressed)
    assert set(kept) == {"scores", DETECTIONS}
    assert kept[DETECTIONS][0].tolist() == [[0, 0, 9, 9, 0.75, 1], [0, 0, 9, 8, 0.5, 0]]
