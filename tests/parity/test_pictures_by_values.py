"""A stage with the preparation inside is held against the reference by values, on pictures of several sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeconv.parity.comparison import Batch, ComparisonSet, Feeds
from edgeconv.parity.ledger import Ledger
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation

SIZE = Preparation("resize", 12, 10, 3, fit="stretch")
TAGS = Meaning("tags", pending="sigmoid", labels=("red", "green", "blue"))


def _logits(feeds: Feeds) -> dict[str, np.ndarray]:
    """Answer whether a picture is rather red, green or blue; the output has a name that the input has in the file."""
    return {"picture": (feeds["image"].mean(axis=(1, 2)) - 128).astype(np.float32)}


def _ledger(
    *, off: int = 0, wrong: float = 0.0, side: int = 12, drawn: bool = False, inside: str | None = None
) -> Ledger:
    """Judge a file whose pixels are off by some grey levels, and whose answers are wrong by some share."""
    generator, seen = np.random.default_rng(0), []

    def answer(feeds: Feeds) -> dict[str, np.ndarray]:
        seen.extend(picture.shape for picture in feeds["picture"])
        prepared = np.stack([prepare(picture, SIZE) for picture in feeds["picture"]])
        prepared[:, 0, 0] = np.where(prepared[:, 0, 0] > 128, prepared[:, 0, 0] - off, prepared[:, 0, 0] + off)
        answers = 1 / (1 + np.exp(-_logits({"image": prepared})["picture"].astype(np.float64))) + wrong
        return {"picture_output": answers.astype(np.float32), "prepared": prepared}

    def draw(count: int) -> Feeds:
        return {"image": generator.integers(0, 256, (count, side, 10, 3), np.uint8)}

    batches = tuple(Batch(feeds, "images", _logits(feeds)) for feeds in (draw(7), draw(3)))
    compared = ComparisonSet("x", "given", "", batches, spreads={"picture": 1.0}, draw=draw if drawn else None)
    keras = Stage("keras", "x", _logits, 1, timed=False)
    whole = replace(keras, name="e2e", run=answer, preparation=SIZE, activation="sigmoid", inside=inside)
    ledger = prove([keras, whole], compared, max_drop=0.0, kind="tensor", meaning=TAGS)
    assert len(set(seen)) == 4
    return ledger


@pytest.mark.parametrize(("side", "drawn", "count"), [(12, False, 10), (24, False, 10), (12, True, 16)])
def test_the_reference_answers_what_the_file_made_of_a_picture(side: int, drawn: bool, count: int) -> None:
    """One grey level is rounding, whatever it does to the answers; what is pending of the reference is done to it."""
    ledger = _ledger(off=1, side=side, drawn=drawn)
    assert ledger.passed
    assert (ledger.rows[1].count, ledger.rows[1].max_abs_dp) == (count, pytest.approx(0.0, abs=1e-6))
    names = [(gate.name, gate.received) for gate in ledger.gates]
    assert (names[0], names[2]) == (("grey levels of the preparation", 1.0), ("flips", 0.0))


def test_a_preparation_of_another_kind_fails_its_gate() -> None:
    assert _ledger(off=2).failures() == "e2e grey levels of the preparation: at most 1, got 2"


@pytest.mark.parametrize(("inside", "agreement"), [("int8", 1.0), ("fp32", 0.0), (None, 0.0)])
def test_the_values_that_agree_are_counted_by_the_tolerance_of_the_variant_inside(
    inside: str, agreement: float
) -> None:
    assert _ledger(wrong=0.005, inside=inside).rows[1].agreement == agreement


def test_other_answers_fail_theirs() -> None:
    assert _ledger(wrong=0.01).failures().startswith("e2e max error over spread: at most 0.001, got 0.01")
