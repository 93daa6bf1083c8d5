"""The preparation inside the graph makes of any picture what `pictures.preparation.prepare` makes: kind "digit"."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
from edgeconv.conversion.embedding.composition import embed  # noqa: E402
from edgeconv.errors import ImageError  # noqa: E402
from edgeconv.pictures.preparation import prepare  # noqa: E402
from edgeconv.preparation import Preparation  # noqa: E402
from edgeconv.runtime.loading import reference_model  # noqa: E402
from edgeconv.runtime.predictor import Predictor  # noqa: E402
from tests.conversion.embedding.embedded import Embedded, difference, with_mean_model  # noqa: E402
from tests.rendering import phone_photo, stroke_digit  # noqa: E402

MNIST = Preparation("digit", 28, 28, 1)
SWEEP = 2000
MOST_FLIPS = 10
"""Of a sweep: sums in another order turn over what lies on an edge."""


def _alpha(colour: int, ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([np.full((*ink.shape[:2], 3), colour, np.uint8), ink], axis=2)


def _colour(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(grey, 3, axis=2)


def _scaled(ink: NDArray[np.uint8], paper: float, pen: float) -> NDArray[np.uint8]:
    return np.rint(paper + (pen - paper) * (ink / 255.0)).astype(np.uint8)


LOOKS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "white on black": lambda ink: ink,
    "black on white": lambda ink: 255 - ink,
    "ink on paper": lambda ink: _colour(_scaled(ink, 220, 60)),
    "dark grey on grey": lambda ink: _scaled(ink, 128, 70),
    "bright grey on grey": lambda ink: _scaled(ink, 128, 190),
    "chalk": lambda ink: _colour(_scaled(ink, 40, 230)) // np.array([1, 1, 2], np.uint8),
    "black ink alone": lambda ink: _alpha(0, ink),
    "white ink alone": lambda ink: _alpha(255, ink),
    "opaque paper": lambda ink: np.concatenate([_colour(_scaled(ink, 230, 30)), np.full_like(ink, 255)], axis=2),
}
"""The ways in which a digit is shown, from a map of its ink, (height, width, 1)."""


@pytest.fixture(scope="module")
def embedded() -> Embedded:
    return with_mean_model(MNIST)


@pytest.fixture(scope="module")
def reference() -> Path:
    found = reference_model()
    if found is None:
        pytest.skip("the reference model is not there")
    return found


@pytest.fixture(scope="module")
def reader(reference: Path) -> Embedded:
    """Return the whole int8 reference model."""
    return Embedded(embed(onnx.load(reference / "model.int8.onnx"), MNIST))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("side", [40, 150, 500])
def test_a_clean_digit_on_a_page(embedded: Embedded, side: int, look: str) -> None:
    for glyph in "02":
        page = np.zeros((side + side // 3, side + side // 2, 1), np.uint8)
        page[side // 5 : side // 5 + side, side // 4 : side // 4 + side, 0] = stroke_digit(glyph, side=side)
        picture = LOOKS[look](page)
        expected = prepare(picture, MNIST)
        assert np.count_nonzero(expected > 200) > 10, "a picture without ink proves nothing"
        assert difference(embedded.prepare(picture), expected) <= 1, glyph


@pytest.mark.parametrize("look", LOOKS)
def test_golden_digits_as_they_are_and_enlarged(embedded: Embedded, reference: Path, look: str) -> None:
    with np.load(reference / "samples.npz") as samples:
        images = samples["images"][:10]
    for image in images:
        for ink in (image, np.kron(image, np.ones((6, 6, 1), np.uint8))):
            picture = LOOKS[look](ink)
            assert difference(embedded.prepare(picture), prepare(picture, MNIST)) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_prepared_digit_passes_through(embedded: Embedded, channels: int) -> None:
    ink = stroke_digit("4")[..., None]
    for picture in (ink, 255 - ink):
        assert np.array_equal(embedded.prepare(np.repeat(picture, channels, axis=2)), ink)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 500), (500, 1), (28, 28), (200, 320)])
def test_no_ink_gives_zeros(embedded: Embedded, size: tuple[int, int], channels: int) -> None:
    for shade in (70, 200, 255):
        blank = np.full((*size, channels), shade, np.uint8)
        with pytest.raises(ImageError, match="no ink found"):
            prepare(blank, MNIST)
        assert not embedded.prepare(blank).any()
        assert np.array_equal(embedded.answer(blank), [0, 0])


def test_noise_alone_and_transparency_give_zeros(embedded: Embedded) -> None:
    grain = np.random.default_rng(0).normal(200, 4, (240, 320, 1)).astype(np.uint8)
    nothing = np.zeros((90, 60, 4), np.uint8)
    for picture in (grain, nothing):
        with pytest.raises(ImageError, match="no ink found"):
            prepare(picture, MNIST)
        assert not embedded.prepare(picture).any()
        assert np.array_equal(embedded.answer(picture), [0, 0])


def test_a_blank_picture_that_counts_as_prepared_is_answered(embedded: Embedded) -> None:
    assert np.array_equal(embedded.answer(np.zeros((28, 28, 1), np.uint8)), [0, 1])


def test_other_sizes_and_boxes() -> None:
    preparation = Preparation("digit", 40, 32, 1, box=24)
    picture = np.zeros((300, 200, 1), np.uint8)
    picture[40:190, 30:180, 0] = stroke_digit("7", side=150)
    assert difference(with_mean_model(preparation).prepare(picture), prepare(picture, preparation)) <= 1


def test_photographs_get_the_same_answer(reader: Embedded, reference: Path) -> None:
    """Twenty-two photographs, each prepared twice: three seconds."""
    with np.load(reference / "samples.npz") as samples:
        images = samples["images"][:, ..., 0]
    rng = np.random.default_rng(3)
    pictures = [phone_photo(image, rng, height=int(rng.integers(60, 500))) for image in images]
    pictures += [phone_photo(image, rng, height=200, bright_ink=True) for image in images[:6]]
    assert _flips(reader, Predictor(reference, device="cpu"), pictures) <= 1


@pytest.mark.slow
def test_photographs_of_mnist_get_the_same_answer(reader: Embedded, reference: Path) -> None:
    """Two thousand renderings, 40 to 2000 pixels high, each prepared twice: a quarter of an hour."""
    folder = os.environ.get("EDGECONV_DATA")
    if not folder:
        pytest.skip("full MNIST is required: set EDGECONV_DATA to the folder of mnist.npz")
    with np.load(Path(folder) / "mnist.npz") as mnist:
        images = mnist["x_test"]
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(images))[:SWEEP]
    pictures = (phone_photo(images[index], rng, bright_ink=rng.random() < 0.3) for index in chosen)
    assert _flips(reader, Predictor(reference, device="cpu"), pictures) <= MOST_FLIPS


def _flips(reader: Embedded, predictor: Predictor, pictures: Iterable[NDArray[np.uint8]]) -> int:
    """Count the pictures that the graph answers otherwise than the predictor; no ink is an answer too."""
    flips = 0
    for picture in pictures:
        answer = reader.answer(picture)
        found = int(answer.argmax()) if answer.any() else None
        try:
            expected = predictor.predict(picture).index
        except ImageError:
            expected = None
        flips += found != expected
    return flips
