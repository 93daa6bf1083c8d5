"""What a predictor answers, by the task of its model."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgeconv.errors import ArtifactError, ConfigError, InferenceError, ProviderError
from edgeconv.runtime.activation import sigmoid
from edgeconv.runtime.answering import results_of
from edgeconv.runtime.prediction import Prediction
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.results import Embedding, MadePicture, Mask, Tags, Values, YesNo
from edgeconv.runtime.saving import save_answer
from tests.runtime.artifacts import of_task

RED = np.dstack([np.full((40, 40), value, np.uint8) for value in (190, 60, 60)])


def _answer(task: str, labels: tuple[str, ...], outputs: Any, **options: Any) -> Any:
    manifest: Any = SimpleNamespace(name="m", task=task, labels=labels, threshold=0.5)
    (result,) = results_of(manifest, np.array([outputs], np.float32), top_k=3, **options)
    return result


@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("count", [4, 100])
def test_what_is_no_number_is_no_answer(task: str, bad: float, count: int) -> None:
    """Few numbers and many are looked at in two ways."""
    outputs = np.linspace(0, 1, count)
    outputs[count // 2] = bad
    with pytest.raises(InferenceError, match="must answer with finite numbers"):
        _answer(task, tuple(map(str, range(count))), outputs)


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_of_equal_probabilities_the_lower_index_comes_first(rows: int) -> None:
    manifest: Any = SimpleNamespace(task="classes", labels=tuple("abcdef"))
    outputs = np.array([[0.1, 0.3, 0.3, 0.0, 0.3, 0.0]] * rows, np.float32)
    for answer in results_of(manifest, outputs, top_k=5):
        assert isinstance(answer, Prediction)
        assert [score.index for score in answer.top] == [1, 2, 4, 0, 3]
        assert [score.probability for score in answer.top] == [float(np.float32(p)) for p in (0.3, 0.3, 0.3, 0.1, 0)]


def test_tags_are_each_for_itself(tiny: Path, tmp_path: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "tags")
    classes, tags = Predictor(tiny, top_k=3).predict(RED), Predictor(folder, threshold=0.1).predict(RED)
    assert isinstance(tags, Tags)
    probabilities = {score.label: score.probability for score in classes.top}  # type: ignore[union-attr]
    assert {score.label: score.probability for score in tags.scores} == probabilities
    assert [score.label for score in tags.scores] == ["red", "green", "blue"]
    assert [score.label for score in tags.tags] == [label for label, value in probabilities.items() if value >= 0.1]
    assert tags.as_dict()["tags"][0] == "red"


def test_a_pending_sigmoid_is_done(tiny: Path, tmp_path: Path) -> None:
    plain = Predictor(of_task(tiny, tmp_path / "a", "values")).predict(RED)
    tags = Predictor(of_task(tiny, tmp_path / "b", "tags", pending="sigmoid")).predict(RED)
    assert isinstance(plain, Values)
    assert isinstance(tags, Tags)
    expected = 1.0 / (1.0 + np.exp(-np.array(list(plain.values.values()))))
    np.testing.assert_allclose([score.probability for score in tags.scores], expected, rtol=1e-6)
    assert sigmoid(np.array([-1000.0, 0.0, 1000.0], np.float32)).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("threshold", "label"), [(None, "dog"), (0.75, "cat")])
def test_a_yes_or_no_has_its_threshold(threshold: float | None, label: str) -> None:
    answer = _answer("yes-no", ("cat", "dog"), [0.625], threshold=threshold)
    assert answer == YesNo(label, label == "dog", 0.625, threshold or 0.5)


def test_values_have_names_and_embeddings_none() -> None:
    assert _answer("values", ("x", "y"), [0.5, -2.0]) == Values({"x": 0.5, "y": -2.0})
    assert _answer("embedding", (), [0.5, 0.25]).as_dict() == {"vector": [0.5, 0.25]}


def test_a_mask_is_a_png_of_classes_and_an_overlay(tmp_path: Path) -> None:
    maps = np.zeros((4, 6, 3))
    maps[:, :3, 2], maps[:, 3:, 0] = 1.0, 1.0
    mask = _answer("mask", ("sky", "sea", "sand"), maps)
    assert mask.shares == {"sky": 0.5, "sea": 0.0, "sand": 0.5}
    prepared = np.full((4, 6, 1), 200, np.uint8)
    file = save_answer(mask, tmp_path / "a", picture=prepared, value_range=None)
    np.testing.assert_array_equal(np.asarray(Image.open(file)), mask.classes)
    overlay = np.asarray(Image.open(tmp_path / "a.overlay.png"))
    assert (overlay[:, 3:] == 200).all()
    assert (overlay[:, :3] != 200).any(axis=-1).all()


def test_one_map_is_a_mask_of_two_classes() -> None:
    mask = _answer("mask", ("0", "1"), [[[0.2], [0.7]]], threshold=0.6)
    assert mask.classes.tolist() == [[0, 1]]


@pytest.mark.parametrize(("value_range", "suffix"), [((-1.0, 1.0), ".png"), (None, ".npy")])
def test_a_picture_is_a_png_where_its_range_is_known(
    tmp_path: Path, value_range: tuple[float, float] | None, suffix: str
) -> None:
    made = MadePicture(np.array([[[-1.0], [1.0], [3.0]]], np.float32))
    file = save_answer(made, tmp_path / "p", picture=np.zeros((1, 3, 1), np.uint8), value_range=value_range)
    assert file.suffix == suffix
    if suffix == ".png":
        assert np.asarray(Image.open(file)).tolist() == [[0, 255, 255]]


def test_an_embedding_is_an_npy(tmp_path: Path) -> None:
    vector = np.array([1.0, 2.0], np.float32)
    file = save_answer(Embedding(vector), tmp_path / "e", picture=np.zeros((1, 1, 1), np.uint8), value_range=None)
    np.testing.assert_array_equal(np.load(file), vector)


def test_a_model_that_takes_no_picture_names_the_runner(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"must take a picture.*`edgeconv\.Runner`"):
        Predictor(of_task(tiny, tmp_path / "m", "any"))


def test_what_cannot_be_trusted_or_asked_is_refused(tiny: Path, tmp_path: Path) -> None:
    folder = of_task(tiny, tmp_path / "m", "tags")
    with pytest.raises(ProviderError, match=r"`--device gpu` requires an ONNX Runtime with a GPU provider"):
        Predictor(folder, device="gpu")
    with pytest.raises(ConfigError, match=r"`threshold` must be 0 to 1\. Received: 2"):
        Predictor(folder, threshold=2.0)


def test_a_mask_of_more_classes_than_a_byte_holds() -> None:
    maps = np.zeros((1, 1, 300))
    maps[..., 299] = 1.0
    mask = _answer("mask", tuple(map(str, range(300))), maps)
    assert isinstance(mask, Mask)
    assert mask.classes.item() == 299
