"""The gate of detectors: boxes and their partners."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.boxes import judge_boxes, matches
from edgeconv.parity.ledger import Gate

CONTRACT = Boxes("xyxy", False, 0.05, 0.5, 10, "")


def _rows(*boxes: tuple[float, ...]) -> np.ndarray:
    """Return detections filled up with rows of nothing."""
    rows = np.zeros((10, 6), np.float32)
    rows[:, 5] = -1
    rows[: len(boxes)] = np.reshape(boxes, (-1, 6))
    return rows


def _judged(given: Any, wanted: Any, stage: str = "fp32") -> Gate:
    (gate,) = judge_boxes(CONTRACT, stage, ({DETECTIONS: given[None]},), ({DETECTIONS: wanted[None]},))
    return gate


ONE, OTHER = (0, 0, 10, 10, 0.9, 0), (20, 0, 30, 10, 0.8, 1)


def test_partners_are_of_one_class_and_overlap() -> None:
    found = _rows((20, 0, 30, 10, 0.9, 1), (0, 0, 10, 9, 0.8, 0), (0, 0, 10, 10, 0.7, 1))
    assert matches(_rows(ONE, OTHER), found)[:3].tolist() == [1, 0, -1]
    assert matches(_rows(ONE), _rows((5, 0, 15, 10, 0.9, 0)))[0] == -1  # A third of both.


def test_each_box_is_the_partner_of_one_and_the_best_chooses_first() -> None:
    wanted = _rows((0, 0, 10, 10, 0.9, 0), (0, 0, 10, 9, 0.8, 0))
    assert matches(wanted, _rows((0, 0, 10, 9, 0.9, 0)))[:2].tolist() == [0, -1]
    assert matches(wanted, _rows((0, 0, 10, 9, 0.9, 0), (0, 0, 10, 10, 0.9, 0)))[:2].tolist() == [1, 0]


def test_boxes_that_are_lost_or_added_fail_the_gate() -> None:
    same = _judged(_rows(OTHER, ONE), _rows(ONE, OTHER))
    assert (same.name, same.received, same.passed) == ("boxes without a match in percent", 0.0, True)
    assert same.reason.startswith("4 boxes of both")
    lost, added = _judged(_rows(ONE), _rows(ONE, OTHER)), _judged(_rows(ONE, OTHER), _rows(ONE))
    assert not lost.passed
    assert lost.received == added.received == 100.0 / 3.0
    other_class = (*OTHER[:5], 0)
    assert _judged(_rows(ONE, other_class), _rows(ONE, OTHER)).received == 50.0


def test_a_score_at_the_threshold_may_fall_below_it() -> None:
    faint = (20, 0, 30, 10, 0.0505, 1)
    assert _judged(_rows(ONE), _rows(ONE, faint)).received == 0.0
    assert _judged(_rows(ONE), _rows(ONE, (20, 0, 30, 10, 0.055, 1)), "fp16").received == 0.0
    assert _judged(_rows(ONE), _rows(ONE, (20, 0, 30, 10, 0.055, 1)), "fp32").received > 30.0


def test_nothing_found_by_both_is_agreement() -> None:
    gate = _judged(_rows(), _rows())
    assert (gate.received, gate.passed, gate.reason.split()[0]) == (0.0, True, "0")
