from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import decode
from edgeconv.runtime import pipeline, streaming
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.session import IMAGES_AT_ONCE as BATCH
from edgeconv.runtime.streaming import QUICK_SECONDS, TIMED


@pytest.fixture(scope="module", params=["int8", "e2e"])
def model(tiny: Path, request: pytest.FixtureRequest) -> Predictor:
    return Predictor(tiny, variant=request.param)


@pytest.mark.parametrize("count", [0, 1, 2, 2 * BATCH, 5 * BATCH + 1])
def test_every_picture_gets_its_answer_in_order(model: Predictor, seven: Path, count: int) -> None:
    names = [seven.parent / ("./" * number) / seven.name for number in range(count)]
    answers = list(model.predict_many(iter(names)))
    assert [answer.picture for answer in answers] == names
    assert {answer.prediction for answer in answers} == ({model.predict(seven)} if count else set())


def test_pictures_of_all_kinds_in_one_stream(model: Predictor, seven: Path) -> None:
    pictures = [seven, str(seven), seven.read_bytes(), decode(seven)]
    assert {answer.prediction for answer in model.predict_many(pictures)} == {model.predict(seven)}
    batch = np.stack([decode(seven)] * 3)
    assert [answer.prediction for answer in model.predict_many(batch)] == [model.predict(seven)] * 3


def test_a_bad_picture_does_not_stop_the_others(model: Predictor, seven: Path) -> None:
    answers = list(model.predict_many([seven, b"no picture", Path("nothing.png"), [], seven]))
    assert [answer.error is None for answer in answers] == [True, False, False, False, True]
    assert [answer.prediction is None for answer in answers] == [False, True, True, True, False]
    assert "nothing.png" in str(answers[2].error)
    assert "Received: list" in str(answers[3].error)


@pytest.mark.parametrize("wrong", ["a.png", b"bytes", Path("a.png"), 7, None])
def test_one_picture_is_not_many(model: Predictor, wrong: Any) -> None:
    with pytest.raises(ImageError, match=r"must be an iterable of pictures\. .* Give one picture to `predict`"):
        model.predict_many(wrong)


def test_a_file_is_not_many_pictures(model: Predictor, seven: Path) -> None:
    with seven.open("rb") as file, pytest.raises(ImageError, match="Received: BufferedReader"):
        model.predict_many(file)


def test_pictures_are_read_a_few_batches_ahead_and_no_further(model: Predictor, seven: Path) -> None:
    read = 0

    def endless() -> Iterator[Path]:
        nonlocal read
        while True:
            read += 1
            yield seven

    answers = model.predict_many(endless())
    for answered in range(1, 3 * BATCH):
        next(answers)
        assert read <= answered + 2 * BATCH
    answers.close()


def reading_threads(monkeypatch: pytest.MonkeyPatch, seconds: float) -> list[str]:
    """Return a list that gets the name of each thread that reads a picture, with so many seconds of work."""
    threads: list[str] = []
    read_sized = pipeline.read_sized

    def spy(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        done = time.thread_time() + seconds
        while time.thread_time() < done:
            pass
        return read_sized(*arguments)

    monkeypatch.setattr(pipeline, "read_sized", spy)
    return threads


def test_decoding_happens_beside_the_model(model: Predictor, seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = reading_threads(monkeypatch, 2 * QUICK_SECONDS)
    list(model.predict_many([seven] * (TIMED + 3)))
    assert threads.count(threading.main_thread().name) == 2, "one picture of each TIMED is read there"
    assert len(threads) == TIMED + 3


def test_a_slow_picture_at_the_beginning_does_not_keep_threads_at_work(
    model: Predictor, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While threads decode, the one that times a picture waits for them, and may take it for a slow one."""
    monkeypatch.setattr(streaming, "QUICK_SECONDS", 0.1)
    threads, read, decoding = reading_threads(monkeypatch, 0), pipeline.read_sized, []

    def waiting_for_others(*arguments: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.2 if decoding or not threads else 0)
        else:
            decoding.append(1)
            time.sleep(0.001)
            decoding.pop()
        return read(*arguments)

    monkeypatch.setattr(pipeline, "read_sized", waiting_for_others)
    list(model.predict_many([seven] * (4 * TIMED)))
    assert threads.count(threading.main_thread().name) == 3 * TIMED + 1


def test_pictures_that_are_read_quickly_need_no_thread(
    model: Predictor, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "QUICK_SECONDS", 60.0)
    threads = reading_threads(monkeypatch, 0)
    answers = list(model.predict_many([seven, b"no picture", seven]))
    assert [answer.error is None for answer in answers] == [True, False, True]
    assert set(threads) == {threading.main_thread().name}


def test_a_draft_answers_alike(model: Predictor, tmp_path: Path) -> None:
    """Colours of the tiny model, 40 times as large as it needs."""
    drafts = Predictor(model.path, variant=model.variant, draft=True)
    for number, colour in enumerate([(200, 30, 30), (30, 200, 30), (30, 30, 200)]):
        Image.new("RGB", (480, 480), colour).save(file := tmp_path / f"{number}.jpg", quality=95)
        (drafted,), whole = drafts.predict_many([file]), model.predict(file)
        assert drafted.prediction == drafts.predict(file) == pickle.loads(pickle.dumps(drafts)).predict(file)
        assert drafted.prediction.label == whole.label
        assert drafted.prediction.probability == pytest.approx(whole.probability, abs=0.01)
