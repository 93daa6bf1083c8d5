"""Pictures that are drawn from prepared images show what the images show."""

from __future__ import annotations

import numpy as np
import pytest

from edgeconv.pictures.drawing import draw_picture
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import Preparation
from edgeconv.runtime.golden import Samples
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor

SIZES = [(60, 80), (480, 640), (1537, 1023), (3024, 4032)]


@pytest.mark.parametrize("size", SIZES)
def test_a_digit_is_read_from_a_picture_of_any_size(size: tuple[int, int]) -> None:
    """The largest is drawn and searched in a second."""
    model = Predictor(reference_model())
    samples = Samples.load(model.path / "samples.npz")
    picture = draw_picture(samples.images[0], model.manifest.preprocess, size)
    assert (picture.shape, picture.dtype) == ((*size, 3), np.uint8)
    assert model.predict(picture).index == samples.labels[0]


@pytest.mark.parametrize("size", SIZES)
def test_a_picture_that_is_only_resized_shows_the_image(size: tuple[int, int]) -> None:
    image = np.full((12, 10, 3), 40, np.uint8)
    image[:, 5:] = (200, 100, 0)
    picture = draw_picture(image, Preparation("resize", 12, 10, 3), size)
    assert picture.shape == (*size, 3)
    seen = prepare(picture, Preparation("resize", 12, 10, 3, fit="stretch"))
    assert np.abs(seen.astype(int) - image).mean() < 20  # it is lit from one side, and enlarged smoothly
