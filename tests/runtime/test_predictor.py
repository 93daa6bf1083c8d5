from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from edgeconv.errors import ConfigError, ImageError, InferenceError, InputError
from edgeconv.runtime.activation import softmax
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.pipeline import pipeline_of
from edgeconv.runtime.prediction import Prediction
from edgeconv.runtime.predictor import Predictor
from edgeconv.runtime.session import IMAGES_AT_ONCE, Session


@pytest.fixture(scope="module")
def model(tiny: Path) -> Predictor:
    return Predictor(tiny)


def _patch(color: int, side: int = 40) -> np.ndarray:
    picture = np.full((side, side, 3), 60, np.uint8)
    picture[..., color] = 190
    return picture


@pytest.mark.parametrize(("index", "label"), [(0, "red"), (1, "green"), (2, "blue")])
def test_a_decoded_picture_of_any_size_is_read(model: Predictor, index: int, label: str) -> None:
    prediction = model.predict(_patch(index))
    assert (prediction.label, prediction.index) == (label, index)
    assert 0.5 < prediction.probability <= 1.0


def test_a_path_and_its_bytes_give_the_same_answer(model: Predictor, seven: Path) -> None:
    answers = [model.predict(source) for source in (seven, str(seven), seven.read_bytes())]
    assert answers[0] == answers[1] == answers[2]


def test_a_batch_is_answered_in_order(model: Predictor, tiny: Path) -> None:
    samples = Samples.load(tiny / "samples.npz")
    predictions = model.predict_prepared(samples.images)
    assert [prediction.index for prediction in predictions] == samples.labels.tolist()
    assert model.predict_prepared(samples.images[:1])[0] == predictions[0]


@pytest.mark.parametrize(
    ("provider", "most"), [("CPUExecutionProvider", IMAGES_AT_ONCE), ("CUDAExecutionProvider", 69)]
)
def test_a_large_batch_goes_through_in_parts_on_a_cpu(
    model: Predictor, monkeypatch: pytest.MonkeyPatch, provider: str, most: int
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2 * IMAGES_AT_ONCE + 5, 12, 12, 3), np.uint8)
    session = model._pipeline.session
    monkeypatch.setattr("edgeconv.runtime.parts.usable_cores", lambda: 1)
    expected = session._answer(images)
    sizes: list[int] = []
    answer = Session._answer
    monkeypatch.setattr(Session, "_answer", lambda self, part: sizes.append(len(part)) or answer(self, part))
    monkeypatch.setattr(session, "provider", provider)
    np.testing.assert_array_equal(model.probabilities(images), expected)
    assert sum(sizes) == len(images)
    assert max(sizes) == most


def test_a_large_batch_of_another_shape_is_refused_as_it_is(model: Predictor) -> None:
    with pytest.raises(InputError, match=r"Received: uint8 \(100, 12, 13, 3\)"):
        model.probabilities(np.zeros((100, 12, 13, 3), np.uint8))
    with pytest.raises(InputError, match=r"Received: uint8 \(\)"):
        model.probabilities(np.zeros((), np.uint8))


def test_the_top_classes_come_best_first(tiny: Path) -> None:
    prediction = Predictor(tiny, top_k=2).predict(_patch(1))
    assert len(prediction.top) == 2
    assert prediction.top[0].as_dict() == {
        "label": prediction.label,
        "index": prediction.index,
        "probability": prediction.probability,
    }
    assert prediction.top[0].probability >= prediction.top[1].probability
    assert len(Predictor(tiny, top_k=100).predict(_patch(1)).top) == 3


def test_a_prediction_is_json(model: Predictor) -> None:
    row = model.predict(_patch(2)).as_dict()
    assert set(row) == {"label", "index", "probability", "top"}
    assert [set(score) for score in row["top"]] == [{"label", "index", "probability"}] * 3


def test_predictions_are_frozen(model: Predictor) -> None:
    prediction = model.predict(_patch(0))
    assert isinstance(prediction, Prediction)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        prediction.label = "other"  # type: ignore[misc]


def test_an_image_of_the_models_size_is_not_touched(model: Predictor) -> None:
    image = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model.prepare(image), image)


def test_a_grey_picture_needs_no_channel_axis(model: Predictor) -> None:
    assert model.prepare(np.zeros((30, 20), np.uint8)).shape == (12, 12, 3)


def test_errors_of_the_user(tiny: Path, model: Predictor, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`top_k` must be at least 1"):
        Predictor(tiny, top_k=0)
    with pytest.raises(ImageError, match=r"no-such.png"):
        model.predict(tmp_path / "no-such.png")
    with pytest.raises(InputError, match="Add the batch axis"):
        model.predict_prepared(np.zeros((12, 12, 3), np.uint8))


def _with_manifest(model: Predictor, **changes: object) -> Predictor:
    manifest = dataclasses.replace(model.manifest, **changes)
    model.manifest, model._pipeline = manifest, pipeline_of(manifest, model._pipeline.session)
    return model


def test_a_model_that_does_not_say_how_pixels_become_its_input(tiny: Path) -> None:
    model = _with_manifest(Predictor(tiny), preprocess=None)
    with pytest.raises(InputError, match="Export it again with `--input-range`"):
        model.predict(_patch(0))


def test_a_model_of_rows_of_numbers_asks_for_arrays_and_no_range(tiny: Path) -> None:
    model = Predictor(tiny)
    rows = dataclasses.replace(model.manifest.input, name="ages", dtype="float32", shape=("batch", 8), kind="tensor")
    model = _with_manifest(model, preprocess=None, input=rows)
    with pytest.raises(
        InputError, match=r"a model of `ages`, float32 \(batch, 8\)\. Give it an \.npz of arrays by name"
    ):
        model.predict(_patch(0))


def test_logits_become_probabilities(tiny: Path) -> None:
    bare = Predictor(tiny).predict(_patch(0)).probability
    model = Predictor(tiny)
    model = _with_manifest(model, output=dataclasses.replace(model.manifest.output, kind="logits"))
    assert model.predict(_patch(0)).probability != bare
    assert sum(score.probability for score in model.predict(_patch(0)).top) == pytest.approx(1.0)


def test_arrays_of_any_strides_that_are_read_only(model: Predictor) -> None:
    images = np.stack([model.prepare(_patch(index)) for index in range(3)])
    turned = np.asfortranarray(images[..., ::-1])[..., ::-1]
    turned.flags.writeable = False
    assert model.predict_prepared(turned) == model.predict_prepared(images)
    assert [model.predict(image) for image in turned] == model.predict_prepared(images)


@pytest.mark.parametrize("variant", ["int8", "e2e"])
def test_what_is_no_batch_is_refused(tiny: Path, variant: str) -> None:
    model = Predictor(tiny, variant=variant)
    with pytest.raises(InputError, match=r"Received: list\. Stack prepared images with `numpy\.stack`"):
        model.predict_prepared([model.prepare(_patch(0))])
    with pytest.raises(InputError, match=r"must be uint8 \(.*Received: uint8 \(.*12, 3\)"):
        model.predict_prepared(model.prepare(_patch(0)))
    with pytest.raises(InputError, match=r"must be uint8 \(.*Received: float32"):
        model.predict_prepared(model.prepare(_patch(0))[None].astype(np.float32))
    with pytest.raises(ImageError, match=r"Received: list\. Give many pictures to `predict_many`"):
        model.predict([_patch(0)])


def test_a_predictor_is_closed_at_the_end_of_its_block(tiny: Path) -> None:
    with Predictor(tiny) as model:
        expected = model.predict(_patch(0))
    assert Predictor(tiny).predict(_patch(0)) == expected
    model.close()
    for use in (model.predict, model.predict_many, lambda picture: model.predict_prepared(picture[None])):
        with pytest.raises(InferenceError, match="A predictor that is open is required"):
            use(_patch(0))


def test_softmax_by_hand_and_without_overflow() -> None:
    rows = softmax(np.array([[0.0, np.log(3.0)], [1000.0, 1000.0]], np.float32))
    np.testing.assert_allclose(rows, [[0.25, 0.75], [0.5, 0.5]], rtol=1e-6)
