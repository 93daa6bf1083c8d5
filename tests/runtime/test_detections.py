"""Detections of a picture, told in the picture that was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeconv.manifest_blocks import Boxes
from edgeconv.pictures.placing import placed_boxes
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.answering import results_of
from edgeconv.runtime.suppression import detections_of, overlaps

CONTRACT = Boxes("xyxy", False, 0.2, 0.5, 3, "")


def _found(boxes: Any, scores: Any, contract: Boxes = CONTRACT) -> NDArray[np.float32]:
    outputs = {"boxes": np.array([boxes], np.float32), "scores": np.array([scores], np.float32)}
    return detections_of(contract, outputs)[0]


def test_of_overlapping_boxes_of_a_class_the_best_stays() -> None:
    boxes = [[0, 0, 10, 10], [0, 0, 10, 9], [30, 0, 40, 10], [0, 0, 10, 8]]
    rows = _found(boxes, [[0.6, 0.0], [0.7, 0.0], [0.1, 0.2], [0.0, 0.9]])
    np.testing.assert_allclose(rows, [[0, 0, 10, 8, 0.9, 1], [0, 0, 10, 9, 0.7, 0], [0, 0, 0, 0, 0, -1]])


def test_a_score_must_exceed_the_confidence_and_no_more_than_the_most_are_kept() -> None:
    boxes = [[10 * place, 0, 10 * place + 8, 8] for place in range(5)]
    rows = _found(boxes, [[0.2], [0.5], [0.3], [0.9], [0.4]])
    np.testing.assert_allclose([row[4] for row in rows], [0.9, 0.5, 0.4])


def test_overlaps_are_of_corners_in_any_order() -> None:
    box = np.float32([10, 10, 0, 0])
    others = np.float32([[0, 0, 10, 10], [0, 0, 10, 5], [5, 5, 5, 9], [20, 20, 30, 30]])
    assert overlaps(box, others).tolist() == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(60, 90), (90, 60), (32, 32), (20, 37)])
def test_a_box_is_told_in_the_picture_that_was_given(fit: str, size: tuple[int, int]) -> None:
    """A bright part is prepared as any picture is: where it lies then must be told as where it lay."""
    height, width = size
    box = np.float32([width // 2 - 6, height // 2 - 5, width // 2 + 6, height // 2 + 5])
    picture = np.zeros((height, width, 1), np.uint8)
    picture[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = 255
    preparation = Preparation("resize", 32, 32, 1, fit=fit)
    seen = prepare(picture, preparation)[..., 0] > 127
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    inside = np.float32([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]])
    pixel = max(size) / 32
    np.testing.assert_allclose(placed_boxes(inside, preparation, size)[0], box, atol=pixel)


def test_boxes_end_at_the_borders_of_the_picture() -> None:
    padded = Preparation("resize", 32, 32, 3, fit="pad")
    assert placed_boxes(np.float32([[-3, 0, 40, 32]]), padded, (32, 64)).tolist() == [[0.0, 0.0, 64.0, 32.0]]


def test_an_answer_has_labels_scores_and_pixels() -> None:
    preparation = Preparation("resize", 32, 32, 1, fit="stretch")
    manifest: Any = SimpleNamespace(task="boxes", labels=("ant", "bee"), preprocess=preparation, threshold=0.5)
    rows = np.float32([[[0, 0, 16, 16, 0.75, 1], [8, 8, 16, 16, 0.5, 0], [8, 8, 16, 16, 0.25, 0], [0, 0, 0, 0, 0, -1]]])
    (answer,) = results_of(manifest, rows, top_k=3, sizes=[(64, 96)])
    assert answer.as_dict() == {
        "boxes": [
            {"label": "bee", "index": 1, "score": 0.75, "box": [0.0, 0.0, 48.0, 32.0]},
            {"label": "ant", "index": 0, "score": 0.5, "box": [24.0, 16.0, 48.0, 32.0]},
        ],
        "threshold": 0.5,
        "height": 64,
        "width": 96,
    }
    (bare,) = results_of(manifest, rows, top_k=3, threshold=0.0)
    assert bare.as_dict()["boxes"][0]["box"] == [0.0, 0.0, 16.0, 16.0]
    assert (len(bare.as_dict()["boxes"]), bare.as_dict()["height"]) == (3, None)
