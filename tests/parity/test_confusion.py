from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeconv.parity.classes import compare_classes
from edgeconv.parity.confusion import class_scores, frequent_pairs, heat_map
from edgeconv.parity.ledger import Ledger, Row
from edgeconv.parity.stage import Stage, on_images


def row_of(confusion: tuple[tuple[int, ...], ...]) -> Row:
    answers = np.full((1, len(confusion)), 0.5, np.float32)
    stage = Stage("int8", "CPU", on_images(np.asarray), 1)
    row = compare_classes(stage, answers, answers, None, p50_latency_ms=1.0)
    return replace(row, confusion=confusion)


def test_heat_shows_a_single_confusion_beside_many():
    row = row_of(((90, 1, 0), (0, 10, 100), (0, 0, 0)))
    heats = [[cell.heat for cell in line] for line in heat_map(row)]
    assert heats == [[5, 1, 0], [0, 2, 5], [0, 0, 0]]
    assert heat_map(row)[0][0].right
    assert not heat_map(row)[0][1].right


def test_pairs_come_most_frequent_first():
    row = row_of(((8, 2, 0), (0, 5, 5), (1, 0, 9)))
    pairs = frequent_pairs(row, str)
    assert [(pair.label, pair.answer, pair.count, pair.share) for pair in pairs] == [
        ("1", "2", 5, 0.5),
        ("0", "1", 2, 0.2),
        ("2", "0", 1, 0.1),
    ]


def test_classes_are_scored_in_every_stage():
    rows = (row_of(((9, 1), (0, 10))), row_of(((8, 2), (0, 10))))
    ring, bar = class_scores(Ledger("shapes", "test", "", rows, ()), ("ring", "bar").__getitem__)
    assert (ring.label, ring.count, ring.accuracies) == ("ring", 10, (0.9, 0.8))
    assert ring.bars == pytest.approx((0.5, 1.0))
    assert bar.bars == (0.0, 0.0)


def test_a_class_without_images_has_no_accuracy():
    rows = (row_of(((9, 1), (0, 0))),)
    assert class_scores(Ledger("shapes", "test", "", rows, ()), str)[1].accuracies == (None,)


def test_a_stage_of_fewer_images_has_shares_of_its_own():
    rows = (row_of(((9, 1), (0, 10))), row_of(((4, 1), (0, 0))))
    ring, bar = class_scores(Ledger("shapes", "test", "", rows, ()), str)
    assert (ring.count, ring.accuracies) == (10, (0.9, 0.8))
    assert (bar.count, bar.accuracies) == (10, (1.0, None))
