from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeconv.errors import ImageError
from edgeconv.pictures.decoding import decode
from edgeconv.runtime import pipeline
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.session import IMAGES_AT_ONCE as BATCH


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


def test_decoding_happens_beside_the_model(model: Predictor, seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = set()
    read_sized = pipeline.read_sized

    def spy(picture: Path, claim: Any) -> Any:
        threads.add(threading.current_thread().name)
        return read_sized(picture, claim)

    monkeypatch.setattr(pipeline, "read_sized", spy)
    list(model.predict_many([seven] * BATCH))
    assert threads
    assert threading.main_thread().name not in threads
