"""Answers to many large inputs do not all lie in memory, and what is made of them is made of some at a time."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from edgeconv.parity import spilling
from edgeconv.parity.comparison import Answers, Batch, ComparisonSet, Feeds
from edgeconv.parity.examples import answered
from edgeconv.parity.meaning import Meaning
from edgeconv.parity.prove import prove
from edgeconv.parity.spilling import Spill, pieces
from edgeconv.parity.stage import Stage, answers_of

SIDE, CLASSES, BATCHES = 256, 8, 24
ONE_BYTES = SIDE * SIDE * CLASSES * 4


def test_few_answers_stay_where_they_are() -> None:
    answers = {"y": np.zeros(1000, np.float32)}
    assert Spill().keep(answers) is answers


@pytest.mark.parametrize("room", [True, False])
def test_many_are_the_same_in_a_file_and_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch, room: bool) -> None:
    def full(size: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(spilling, "MEMORY_BYTES", 0)
    monkeypatch.setattr(spilling, "FILE_BYTES", 1000)
    if not room:
        monkeypatch.setattr(spilling, "_mapped", full)
    spill, rng = Spill(), np.random.default_rng(0)
    shapes = [(3, 7), (2, 5, 5), (0, 4), (400,), ()]
    given = [{"a": rng.normal(size=shape), "b": np.array(rng.integers(0, 9, shape), np.uint8)} for shape in shapes]
    kept = [spill.keep(part) for part in given]
    for part, other in zip(given, kept, strict=True):
        for name, array in part.items():
            assert np.array_equal(array, other[name])
            assert (array.dtype, array.shape) == (other[name].dtype, other[name].shape)
    assert (kept[0]["a"] is given[0]["a"]) is not room


def test_pieces_are_all_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilling, "VALUES_AT_ONCE", 4)
    values = np.arange(10, dtype=np.float32).reshape(2, 5)
    found = list(pieces(values, -values))
    assert [len(one) for one, _ in found] == [4, 4, 2]
    assert np.array_equal(np.concatenate([one for one, _ in found]), values.ravel())
    assert all(np.array_equal(one, -other) for one, other in found)


@pytest.mark.parametrize("name", ["fp32", "int8"])
@pytest.mark.parametrize("known", [True, False])
def test_the_judging_of_masks_takes_no_more_of_more_pictures(
    monkeypatch: pytest.MonkeyPatch, name: str, known: bool
) -> None:
    """Answers of 50 MB a stage; each is judged by its values, its pixels and, where it is known, by what is right."""
    monkeypatch.setattr(spilling, "MEMORY_BYTES", 2 * ONE_BYTES)
    picture = np.random.default_rng(0).random((1, SIDE, SIDE, CLASSES), np.float32)

    def run(feeds: Feeds) -> Answers:
        return {"mask": np.roll(picture, int(feeds["x"][0, 0]), axis=1)}

    batches = tuple(Batch({"x": np.full((1, 1), number)}) for number in range(BATCHES))
    right = np.concatenate([run(batch.feeds)["mask"].argmax(axis=-1).astype(np.uint8) for batch in batches])
    compared = ComparisonSet("d", "test", "0", batches, spreads={}, right={"mask": right} if known else {})
    stages = [Stage(each, "x", run, 1, timed=False) for each in ("keras", name)]
    tracemalloc.start()
    try:
        whole = answered(compared, answers_of(stages[0], compared))
        ledger = prove(stages, whole, max_drop=None, kind="tensor", meaning=Meaning("mask"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ledger.passed
    assert ledger.rows[1].metrics == ({"mIoU": 1.0} if known else {})
    assert peak < 16 * ONE_BYTES
