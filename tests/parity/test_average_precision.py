"""Mean average precision by hand, and beside COCO's own code."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest

from edgeconv.boxes import CROWD
from edgeconv.parity.average_precision import OVERLAPS, mean_average_precision


def _rows(pictures: list[list[tuple[float, ...]]]) -> np.ndarray:
    """Return rows of pictures, filled up to one number."""
    made = np.zeros((len(pictures), 1 + max(map(len, pictures)), 6), np.float32)
    made[..., 5] = -1
    for number, boxes in enumerate(pictures):
        made[number, : len(boxes)] = np.reshape(boxes, (-1, 6))
    return made


A, B, FAR = (0, 0, 10, 10), (20, 0, 30, 10), (50, 50, 60, 60)


def test_one_wrong_box_between_two_right_ones() -> None:
    """Precision is 1 up to a recall of 1/2, and 2/3 up to 1: 51 and 50 of 101 recalls."""
    true = _rows([[(*A, 1, 0), (*B, 1, 0)]])
    found = _rows([[(*A, 0.9, 0), (*FAR, 0.8, 0), (*B, 0.7, 0)]])
    assert mean_average_precision(found, true, [0.5]) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_box_is_found_once_and_by_its_class_only() -> None:
    true = _rows([[(*A, 1, 0)]])
    twice = _rows([[(*A, 0.9, 0), (*A, 0.8, 0)]])
    assert mean_average_precision(twice, true, [0.5]) == 1.0  # The second is wrong, behind a recall of 1.
    assert mean_average_precision(_rows([[(*A, 0.9, 1)]]), true, [0.5]) == 0.0
    assert mean_average_precision(_rows([[]]), true, [0.5]) == 0.0


def test_classes_count_alike_and_those_without_boxes_do_not() -> None:
    true = _rows([[(*A, 1, 0), (*B, 1, 1)], [(*A, 1, 0)]])
    found = _rows([[(*A, 0.9, 0), (*FAR, 0.9, 2)], [(*A, 0.8, 0)]])
    assert mean_average_precision(found, true, [0.5]) == 0.5


def test_the_overlap_that_is_asked_for_decides() -> None:
    true, found = _rows([[(0, 0, 10, 10, 1, 0)]]), _rows([[(0, 0, 10, 8, 0.9, 0)]])  # They share 0.8.
    assert mean_average_precision(found, true, [0.75]) == 1.0
    assert mean_average_precision(found, true, [0.85]) == 0.0
    assert mean_average_precision(found, true, OVERLAPS) == pytest.approx(0.7)


def test_boxes_in_a_crowd_are_neither_right_nor_wrong() -> None:
    true = _rows([[(*A, 1, 0), (40, 40, 80, 80, CROWD, 0)]])
    found = _rows([[(*FAR, 0.95, 0), (*A, 0.9, 0)]])
    assert mean_average_precision(found, true, [0.5]) == 1.0


def _by_coco(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return COCO's mAP over its ten overlaps, and at 0.5."""
    pytest.importorskip("pycocotools", reason="comes with the extra `dev`")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def boxes(rows: np.ndarray) -> Any:
        for image, own in enumerate(rows, 1):
            for row in own[own[:, 4] > 0]:
                x1, y1, x2, y2, score, number = map(float, row)
                box = [x1, y1, x2 - x1, y2 - y1]
                yield {"image_id": image, "category_id": int(number) + 1, "bbox": box, "score": score, "area": 1000.0}

    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(1, len(true) + 1)],
            "categories": [{"id": number} for number in range(1, 5)],
            "annotations": [
                {**box, "id": number, "iscrowd": int(box["score"] == CROWD)}
                for number, box in enumerate(boxes(true), 1)
            ],
        }
        coco.createIndex()
        judged = COCOeval(coco, coco.loadRes(list(boxes(found))), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return float(judged.stats[0]), float(judged.stats[1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("crowds", [0.0, 0.2])
def test_it_is_what_coco_computes(seed: int, crowds: float) -> None:
    generator = np.random.default_rng(seed)

    def drawn(count: int) -> np.ndarray:
        corners = generator.uniform(0, 60, (12, count, 2))
        sides = generator.uniform(8, 40, (12, count, 2))
        numbers = generator.integers(0, 4, (12, count, 1))
        return np.concatenate([corners, corners + sides, generator.uniform(0.1, 1, (12, count, 1)), numbers], axis=2)

    true = drawn(6).astype(np.float32)
    near = true[:, generator.permutation(6)] + generator.normal(0, 3, (12, 6, 6)) * [1, 1, 1, 1, 0, 0]
    near[..., 2:4] = np.maximum(near[..., 2:4], near[..., :2] + 1.0)
    found = np.concatenate([near, drawn(8)], axis=1).astype(np.float32)
    found[..., 4] = generator.uniform(0.1, 1, found.shape[:2])
    found = np.take_along_axis(found, np.argsort(-found[..., 4:5], axis=1), axis=1)
    true[..., 4] = np.where(generator.uniform(size=(12, 6)) < crowds, CROWD, 1.0)
    whole, at_half = _by_coco(found, true)
    assert mean_average_precision(found, true, OVERLAPS) == pytest.approx(whole, abs=1e-6)
    assert mean_average_precision(found, true, [0.5]) == pytest.approx(at_half, abs=1e-6)
    assert 0.05 < at_half < 0.95
