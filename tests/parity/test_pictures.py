"""A stage that prepares pictures itself is given pictures, and held against the same pictures prepared with numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeconv.parity.comparison import ComparisonSet
from edgeconv.parity.pictures import show
from edgeconv.parity.prove import prove
from edgeconv.parity.stage import Stage, on_images
from edgeconv.pictures import showing
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation

SQUARE = Preparation("resize", 12, 12, 3, fit="stretch")
DIGIT = Preparation("digit", 28, 28, 1)
LABELS = np.arange(30) % 3


def _patches() -> ComparisonSet:
    """Return images of one colour each, dark with one bright channel; the label is the channel."""
    images = np.full((30, 12, 12, 3), 40, np.uint8)
    images[np.arange(30), ..., LABELS] = 200
    return ComparisonSet.of_images(images, LABELS, dataset="patches", split="test")


def _brightest(images: np.ndarray) -> np.ndarray:
    return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32) / 255


def test_pictures_are_of_several_sizes_and_prepared_as_numpy_does() -> None:
    shown, prepared = show(_patches(), SQUARE)
    assert len({picture.shape for picture in shown.images}) == 4
    assert {picture.dtype for picture in shown.images} == {np.dtype(np.uint8)}
    np.testing.assert_array_equal(prepared.images, [prepare(picture, SQUARE) for picture in shown.images])
    np.testing.assert_array_equal(shown.labels, LABELS)


def test_no_more_images_are_compared_than_there_are_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "MOST_PICTURES", 20)
    for each in show(_patches(), SQUARE):
        assert len(each.images) == len(each.labels) == 20


def test_a_blank_image_of_a_digit_is_a_black_one() -> None:
    """No ink is no error here: the stage answers zeros to it, and the ledger shows it."""
    images = np.zeros((2, 28, 28, 1), np.uint8)
    _, prepared = show(ComparisonSet.of_images(images, dataset="blank", split="test"), DIGIT)
    np.testing.assert_array_equal(prepared.images, images)


def _stages(answer: object = _brightest) -> tuple[list[Stage], dict[str, list[tuple[int, ...]]]]:
    """Return Keras and e2e, and a record of the shapes that each is given."""
    seen: dict[str, list[tuple[int, ...]]] = {"keras": [], "e2e": []}

    def recording(name: str, run: object) -> object:
        def call(images: np.ndarray) -> np.ndarray:
            seen[name] += [image.shape for image in images]
            return run(images)

        return on_images(call)

    keras = Stage("keras", "x", recording("keras", _brightest), 1, timed=False)
    return [keras, replace(keras, name="e2e", run=recording("e2e", answer), preparation=SQUARE)], seen


def test_the_reference_is_given_the_same_pictures_prepared() -> None:
    stages, seen = _stages()
    ledger = prove(stages, _patches(), max_drop=0.0, kind="probabilities")
    assert seen["keras"] == [(12, 12, 3)] * 60
    assert len(set(seen["e2e"])) == 4
    assert ledger.passed
    assert [row.accuracy for row in ledger.rows] == [1.0, 1.0]
    assert ledger.rows[1].max_abs_dp == 0.0  # patches of one colour: enlarged and prepared they are what they were


def test_a_stage_that_answers_pictures_otherwise_fails_its_gate() -> None:
    stages, _ = _stages(lambda images: _brightest(images)[:, ::-1])
    ledger = prove(stages, _patches(), max_drop=0.2, kind="probabilities")
    assert not ledger.passed
    assert ledger.failures().startswith("e2e accuracy drop in percentage points: at most 0.2, got 66.67")


def test_images_that_were_files_are_compared_as_these_files(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(30)]
    for number, file in enumerate(files):
        patch = np.full((20 + number, 31, 3), 40, np.uint8)
        patch[..., LABELS[number]] = 200
        Image.fromarray(patch).save(file)
    stages, seen = _stages()
    ledger = prove(stages, replace(_patches(), files=tuple(files)), max_drop=0.0, kind="probabilities")
    assert seen["e2e"][:30] == [(20 + number, 31, 3) for number in range(30)]
    assert (ledger.passed, ledger.rows[1].count, ledger.rows[1].accuracy) == (True, 30, 1.0)


def test_alone_it_is_its_own_reference() -> None:
    stages, _ = _stages()
    assert prove(stages[1:], _patches(), max_drop=0.0, kind="probabilities").rows[0].agreement == 1.0
