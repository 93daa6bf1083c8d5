"""Files with the preparation of pictures inside, opened without the `onnx` package."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from edgeconv.errors import ImageError, InputError, ProviderError
from edgeconv.pictures.decoding import decode
from edgeconv.runtime import pipeline
from edgeconv.runtime.embedded import EmbeddedAnswer, EmbeddedModel
from edgeconv.runtime.loading import open_model, reference_model
from edgeconv.runtime.pipeline import EmbeddedPipeline
from edgeconv.runtime.predictor import Predictor


@pytest.fixture(scope="module")
def embedded(tiny: Path) -> EmbeddedModel:
    return EmbeddedModel((tiny / "model.e2e.onnx").read_bytes())


@pytest.mark.parametrize("shape", [(12, 12, 3), (12, 12, 1), (40, 31, 3), (9, 200, 4), (1, 1, 3)])
def test_any_picture_is_prepared_as_in_python(tiny: Path, embedded: EmbeddedModel, shape: tuple[int, int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    answer, model = embedded.answer(picture), Predictor(tiny)
    prepared = model.prepare(picture)
    assert np.abs(answer.prepared.astype(int) - prepared).max() <= 1
    # One grey level moves a probability by less than this.
    np.testing.assert_allclose(answer.probabilities, model.probabilities(prepared[None])[0], atol=0.01)


def test_a_lone_file_says_what_it_takes(tiny: Path, tmp_path: Path) -> None:
    opened = open_model(Path(shutil.copy(tiny / "model.e2e.onnx", tmp_path / "anything.onnx")))
    assert opened.variant == "e2e"
    assert (opened.manifest.input.name, opened.manifest.input.kind) == ("picture", "picture")
    assert opened.manifest.input.shape == ("height", "width", "channels")
    assert (opened.manifest.output.kind, opened.manifest.labels) == ("probabilities", ("red", "green", "blue"))


def test_it_predicts_as_the_variant_inside(tiny: Path, seven: Path) -> None:
    inside, plain = Predictor(tiny, variant="e2e"), Predictor(tiny, variant="int8")
    assert (inside.variant, plain.variant) == ("e2e", "int8")
    assert inside.predict(seven) == plain.predict(seven)
    images = np.stack([plain.prepare(decode(seven))] * 3)
    np.testing.assert_array_equal(inside.probabilities(images), plain.probabilities(images))


def test_its_pictures_are_prepared_by_the_graph_alone(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("numpy prepares the picture")

    monkeypatch.setattr(pipeline, "prepare", never)
    picture = np.random.default_rng(0).integers(0, 256, (40, 31, 3), np.uint8)
    assert Predictor(tiny, variant="e2e").predict(picture).label in {"red", "green", "blue"}
    with pytest.raises(AssertionError, match="numpy prepares"):
        Predictor(tiny, variant="int8").predict(picture)


def test_a_picture_without_ink_is_refused_as_in_python(seven: Path) -> None:
    """The shipped model has no e2e file: what a graph answers to an empty picture is known."""
    model, empty = Predictor(reference_model()), np.full((60, 50, 3), 200, np.uint8)
    with pytest.raises(ImageError, match="A picture of a digit is required, no ink found"):
        model.predict(empty)
    model._pipeline = EmbeddedPipeline(model.manifest, _WithoutInk())
    with pytest.raises(ImageError, match="A picture of a digit is required, no ink found"):
        model.predict(empty)
    errors = [answer.error for answer in model.predict_many([empty, decode(seven), empty])]
    assert [error is None for error in errors] == [False, True, False]


class _WithoutInk(EmbeddedModel):
    """Answers as the graph of a model of digits does: zeros to an even picture."""

    def __init__(self) -> None:
        pass

    def answer(self, picture: np.ndarray) -> EmbeddedAnswer:
        row = np.eye(10, dtype=np.float32)[7] * float(np.ptp(picture) > 0)
        return EmbeddedAnswer(row, picture)


def test_no_folder_opens_it_unasked(tiny: Path) -> None:
    assert open_model(tiny).variant == "int8"


def test_it_does_not_run_on_a_gpu(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: providers)
    with pytest.raises(ProviderError, match=r"requires a float model\. Received: e2e"):
        open_model(tiny, variant="e2e", device="gpu")
    assert open_model(tiny, variant="e2e", device="auto").session.provider == "CPUExecutionProvider"


def test_a_file_that_is_no_model(tiny: Path) -> None:
    with pytest.raises(InputError, match="must be an ONNX file that ONNX Runtime"):
        EmbeddedModel(b"nothing")
