"""A batch is answered in parts, on one core or on several, in its order."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, current_thread
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import ConfigError
from edgeconv.runtime import parts
from edgeconv.runtime.loading import open_model
from edgeconv.runtime.parts import LARGE, answer_parts, cut
from edgeconv.runtime.session import IMAGES_AT_ONCE, Session
from edgeconv.session_options import SessionOptions

IMAGES = np.random.default_rng(0).integers(0, 256, (LARGE + 5, 12, 12, 3), np.uint8)


@pytest.fixture
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "usable_cores", lambda: 3)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Return the size of each part that a session is given from now on, and the name of the thread."""
    calls: list[tuple[int, str]] = []
    answer = Session._answer

    def watched(self: Session, images: Any) -> Any:
        calls.append((len(images), current_thread().name))
        return answer(self, images)

    monkeypatch.setattr(Session, "_answer", watched)
    return calls


@pytest.mark.parametrize("count", [1, 5, 31, 64, 69, 200])
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_parts_are_all_of_the_batch_and_keep_all_calls_busy(count: int, calls: int) -> None:
    found = cut(count, 32, calls)
    assert [index for part in found for index in range(count)[part]] == list(range(count))
    assert max(part.stop - part.start for part in found) <= 32
    if count >= calls * calls:
        assert len(found) % calls == 0


def test_parts_are_answered_at_the_same_time_and_returned_in_their_order() -> None:
    together = Barrier(2, timeout=30)  # A call alone would wait here for ever.

    def answer(images: Any) -> int:
        together.wait()
        return int(images[0])

    assert answer_parts(answer, np.arange(40), most=10, calls=2) == [0, 10, 20, 30]


def test_what_goes_wrong_in_a_part_is_told() -> None:
    def answer(images: Any) -> int:
        raise ValueError(f"{images[0]} is wrong")

    with pytest.raises(ValueError, match="0 is wrong"):
        answer_parts(answer, np.arange(40), most=10, calls=2)


@pytest.mark.usefixtures("three_cores")
def test_a_large_batch_takes_all_cores_unless_somebody_says_a_number_of_threads(
    tiny: Path, seen: list[tuple[int, str]]
) -> None:
    expected = open_model(tiny, threads=1).session.run(IMAGES)  # type: ignore[arg-type]
    assert ([size for size, _ in seen], len({name for _, name in seen})) == ([32, 32, 5], 1)
    seen.clear()
    np.testing.assert_array_equal(open_model(tiny).session.run(IMAGES), expected)  # type: ignore[arg-type]
    assert [size for size, _ in seen] == [23, 23, 23]
    seen.clear()
    open_model(tiny).session.run(IMAGES[: LARGE - 1])  # type: ignore[arg-type]
    assert [size for size, _ in seen] == [IMAGES_AT_ONCE, LARGE - 1 - IMAGES_AT_ONCE]


@pytest.mark.parametrize(
    ("options", "sizes"),
    [
        (SessionOptions(images_at_once=50), [19, 50]),
        (SessionOptions(calls_at_once=2), [17, 17, 17, 18]),
        (SessionOptions(calls_at_once=2, images_at_once=8), [6, *[7] * 9]),
    ],
)
def test_options_say_how_a_batch_is_cut(
    tiny: Path, seen: list[tuple[int, str]], options: SessionOptions, sizes: list[int]
) -> None:
    model = (tiny / "model.onnx").read_bytes()
    answers = Session(model, options=options).run(IMAGES)
    assert sorted(size for size, _ in seen) == sizes
    np.testing.assert_allclose(answers, Session(model)._answer(IMAGES), atol=1e-6)
    assert Session(model, options=options).run(IMAGES[:0]).shape == (0, 3)


@pytest.mark.parametrize("changes", [{"images_at_once": 0}, {"calls_at_once": 0}, {"calls_at_once": 257}])
def test_options_out_of_their_range(changes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"must be (at least 1|1 to 256)\. Received: (0|257)"):
        SessionOptions(**changes)
