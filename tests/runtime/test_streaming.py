from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeconv.runtime import streaming
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.session import IMAGES_AT_ONCE as BATCH
from edgeconv.runtime.streaming import predict_stream


@pytest.fixture(scope="module")
def model(tiny: Path) -> Predictor:
    return Predictor(tiny)


@pytest.mark.parametrize("count", [0, 1, 2, 2 * BATCH, 5 * BATCH + 1])
def test_every_picture_gets_its_answer_in_order(model: Predictor, seven: Path, count: int) -> None:
    answers = list(predict_stream(model, ((str(number), seven) for number in range(count))))
    assert [answer.path for answer in answers] == [str(number) for number in range(count)]
    assert {answer.prediction for answer in answers} == ({model.predict(seven)} if count else set())


def test_a_bad_picture_does_not_stop_the_others(model: Predictor, seven: Path) -> None:
    pictures = [("a", seven), ("b", b"no picture"), ("c", Path("nothing.png")), ("d", seven)]
    answers = list(predict_stream(model, pictures))
    assert [answer.error is None for answer in answers] == [True, False, False, True]
    assert [answer.prediction is None for answer in answers] == [False, True, True, False]
    assert "nothing.png" in str(answers[2].error)
    assert set(answers[1].as_dict()) == {"path", "error"}
    assert answers[0].as_dict() == {"path": "a", **model.predict(seven).as_dict()}


def test_pictures_are_read_a_few_batches_ahead_and_no_further(model: Predictor, seven: Path) -> None:
    read = 0

    def endless() -> Iterator[tuple[str, Path]]:
        nonlocal read
        while True:
            read += 1
            yield str(read), seven

    answers = predict_stream(model, endless())
    for answered in range(1, 3 * BATCH):
        next(answers)
        assert read <= answered + 2 * BATCH
    answers.close()


def test_decoding_happens_beside_the_model(model: Predictor, seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    decode = streaming.decode

    def spy(source: Path) -> object:
        threads.add(threading.current_thread().name)
        return decode(source)

    monkeypatch.setattr(streaming, "decode", spy)
    list(predict_stream(model, [(str(number), seven) for number in range(BATCH)]))
    assert threads
    assert threading.main_thread().name not in threads
