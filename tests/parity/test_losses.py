"""What int8 loses, in percent, of what each task is judged by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeconv.boxes import DETECTIONS
from edgeconv.manifest_blocks import Boxes
from edgeconv.parity.comparison import Answers, ComparisonSet
from edgeconv.parity.intervals import Lost
from edgeconv.parity.losses import Loss, losses_of, worst_of
from edgeconv.parity.meaning import Meaning

RNG = np.random.default_rng(8)


def _losses(meaning: Meaning, given: Any, wanted: Any, spread: float = 1.0) -> tuple[Loss, ...]:
    """Return the losses of answers that come in two batches."""
    compared = ComparisonSet("data", "test", "", (), spreads={"out": spread})
    return losses_of(meaning, compared, _halves(given), _halves(wanted))


def _worst(losses: tuple[Loss, ...]) -> float:
    return max(loss.percent for loss in losses)


def _halves(array: Any) -> tuple[Answers, ...]:
    half = len(array) // 2
    return {"out": array[:half]}, {"out": array[half:]}


@pytest.mark.parametrize("task", ["values", "any"])
def test_values_lose_the_root_of_their_mean_square_error_over_the_spread(task: str) -> None:
    wanted = RNG.uniform(-3, 3, size=(400, 3)).astype(np.float32)
    error = np.float32(0.03) * RNG.choice([-1, 1], (400, 3)).astype(np.float32)
    (loss,) = _losses(Meaning(task), wanted + error, wanted, spread=6.0)
    assert (loss.name, loss.percent) == ("RMS error over spread in percent", pytest.approx(0.5, rel=1e-4))
    assert loss.gate("int8", 0.4, "why").passed is False
    broken = wanted.copy()
    broken[0, 0] = np.nan
    assert _worst(_losses(Meaning(task), broken, wanted)) >= 1e9


def test_each_output_has_its_own_loss_and_whole_numbers_differ_or_not() -> None:
    first, second = np.full((10, 2), 0.5, np.float32), np.arange(10)
    other = second.copy()
    other[3] += 1
    compared = ComparisonSet("data", "test", "", (), spreads={"a": 2.0, "b": 9.0})
    found = losses_of(Meaning(), compared, ({"a": first + 0.02, "b": other},), ({"a": first, "b": second},))
    assert [(loss.name, round(loss.percent, 3)) for loss in found] == [
        ("RMS error over spread in percent of a", 1.0),
        ("other values in percent of b", 10.0),
    ]
    assert _worst(found) == 10.0


def test_the_spread_of_few_values_is_not_that_of_many() -> None:
    wanted = RNG.normal(size=(2000, 1))
    few, many = (_losses(Meaning(), part + 0.05, part, float(np.ptp(part)))[0] for part in (wanted[:6], wanted))
    assert few.percent == pytest.approx(many.percent, rel=0.6)
    assert few.percent < 100 * 0.05 / np.ptp(wanted[:6])


def test_an_output_that_may_not_differ_loses_all_by_any_error() -> None:
    wanted = np.ones((4, 2), np.float32)
    assert _worst(_losses(Meaning(), wanted, wanted, spread=0.0)) == 0.0
    assert _worst(_losses(Meaning(), wanted + 1, wanted, spread=0.0)) >= 1e9


def test_tags_lose_their_f1_and_say_which_flip() -> None:
    wanted = np.tile(np.array([0.9, 0.1, 0.1]), (50, 1))
    given = wanted.copy()
    given[7, 1] = 0.6
    (loss,) = _losses(Meaning("tags", labels=("cat", "dog", "cow")), given, wanted)
    assert loss.percent == pytest.approx(100 / 101), "a share of all answers would be a third of that"
    assert loss.note == "flips: dog 1"


@pytest.mark.parametrize("task", ["yes-no", "classes"])
def test_answers_that_flip_are_counted(task: str) -> None:
    wanted = RNG.uniform(size=(20, 1 if task == "yes-no" else 4))
    given = wanted.copy()
    given[5] = 1 - wanted[5]
    (loss,) = _losses(Meaning(task), given, wanted)
    assert (loss.name, loss.percent) == ("flips in percent", pytest.approx(5.0))


def test_a_mask_loses_pixels_and_a_rare_class_counts_as_much_as_the_others() -> None:
    wanted = np.zeros((4, 10, 10, 2))
    wanted[..., 0] = 0.5
    wanted[:, 0, :2, 1] = 1.0
    given = wanted.copy()
    given[:, 0, 0, 1] = 0.0
    pixels, iou = _losses(Meaning("mask"), given, wanted)
    assert pixels.percent == pytest.approx(1.0)
    assert iou.percent == pytest.approx(100 * (1 - (98 / 99 + 1 / 2) / 2))


def test_a_picture_loses_decibels() -> None:
    wanted = RNG.uniform(size=(6, 5, 5, 1))
    wanted[0, 0, 0], wanted[0, 0, 1] = 0.0, 1.0
    (loss,) = _losses(Meaning("picture"), wanted + 0.02, wanted)
    gate = loss.gate("int8", 1.0, "why")
    assert (loss.percent, gate.received) == (pytest.approx(2.0), pytest.approx(33.979, abs=1e-3))
    assert (gate.limit, gate.at_least, gate.passed) == (pytest.approx(40.0), True, False)
    assert loss.gate("int8", 2.1, "why").passed
    (same,) = _losses(Meaning("picture"), wanted, wanted)
    assert same.gate("int8", 1.0, "why").received == pytest.approx(200.0)


def test_an_embedding_turns_and_loses_neighbours() -> None:
    wanted = RNG.normal(size=(40, 64))
    turned, lost = _losses(Meaning("embedding"), 3.0 * wanted, wanted)
    assert (turned.percent, lost.percent) == (pytest.approx(0.0, abs=1e-9), 0.0)
    turned, lost = _losses(Meaning("embedding"), wanted[::-1], wanted)
    assert turned.percent > 50.0
    assert lost.percent > 50.0
    (alone,) = _losses(Meaning("embedding"), wanted[:2], wanted[:2])
    assert alone.name == "cosine distance in percent"


def test_boxes_lose_those_without_a_partner() -> None:
    contract = Boxes("xyxy", suppressed=False, confidence=0.5, iou=0.5, most=4, stated="")
    wanted = np.zeros((2, 3, 6), np.float32)
    wanted[:, 0] = [0, 0, 10, 10, 0.9, 1]
    wanted[:, 1] = [20, 20, 30, 30, 0.52, 0]
    given = wanted.copy()
    given[0, 1, 4] = 0.0
    compared = ComparisonSet("data", "test", "", (), spreads={})
    meaning = Meaning("boxes", boxes=contract)

    def lost() -> float:
        return _worst(losses_of(meaning, compared, ({DETECTIONS: given},), ({DETECTIONS: wanted},)))

    assert lost() == 0.0, "a score at the threshold may fall below it"
    given[1, 0, 5] = 0
    assert lost() == pytest.approx(100 * 2 / 7)


def test_the_worst_of_several_outputs_counts_by_what_each_may_lose() -> None:
    losses = [("classes", Lost.exactly(0.15)), ("any", Lost.exactly(0.5))]
    assert worst_of(losses, "any").percent == pytest.approx(0.75), "0.15 of 0.2 is 0.75 of 1"
    assert worst_of(losses, "any", 0.3).percent == 0.5
    assert worst_of(losses, "any", 0.0).percent == 0.5
    assert worst_of([("any", Lost(3.0, 0.5, 5.0)), ("any", Lost.exactly(2.0))], "any").percent == 2.0
