"""Photographs of digits through the shipped model: what it is for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgeconv.pictures.decoding import decode
from edgeconv.runtime.loading import reference_model
from edgeconv.runtime.predictor import Predictor
from tests.rendering import encode, phone_photo, photograph


@pytest.fixture(scope="module")
def reference() -> Path:
    folder = reference_model()
    assert folder is not None, "the package ships a reference model"
    return folder


@pytest.fixture(scope="module")
def mnist() -> tuple[np.ndarray, np.ndarray]:
    path = Path(os.environ.get("EDGECONV_DATA", "")) / "mnist.npz"
    if not path.is_file():
        pytest.skip("needs mnist.npz in $EDGECONV_DATA")
    with np.load(path) as arrays:
        return arrays["x_test"], arrays["y_test"]


def test_an_800x600_jpeg_of_each_golden_digit_is_read(reference: Path, tmp_path: Path) -> None:
    """Dark ink on bright paper, off-centre. Renders sixteen photographs, two seconds."""
    samples = np.load(reference / "samples.npz")
    model, rng = Predictor(reference), np.random.default_rng(0)
    read = []
    for image in samples["images"]:
        photo = phone_photo(image[..., 0], rng, height=600, width=800)
        read.append(model.predict(encode(photo, "jpg", "RGB", tmp_path / "photo.jpg")).index)
    assert read == samples["labels"].tolist()


def test_a_large_jpeg_is_answered_as_its_pixels_are(reference: Path, tmp_path: Path) -> None:
    """Of which the luma alone is read. Renders three photographs of 4.4 megapixels, three seconds."""
    images = np.load(reference / "samples.npz")["images"][:3, ..., 0]
    model, rng = Predictor(reference), np.random.default_rng(0)
    for image in images:
        file = encode(phone_photo(image, rng, height=1800, width=2440), "jpg", "RGB", tmp_path / "photo.jpg")
        (one,), pixels = model.predict_many([file]), decode(file)
        assert one.prediction == model.predict(file)
        assert np.abs(model.prepare(file).astype(int) - model.prepare(pixels)).max() <= 1
        probabilities = [model.probabilities(model.prepare(given)[None]) for given in (file, pixels)]
        assert probabilities[0] == pytest.approx(probabilities[1], abs=1e-3)


@pytest.mark.slow
def test_nearly_all_of_300_photographs_of_test_digits_are_read(
    reference: Path, mnist: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """Every kind of file, of any size, some turned by EXIF. A minute or two, mostly of rendering."""
    images, labels = mnist
    model, rng = Predictor(reference), np.random.default_rng(2026)
    chosen = rng.choice(len(images), 300, replace=False)
    right = sum(
        model.predict(photograph(images[index], rng, tmp_path / f"{number}")).index == labels[index]
        for number, index in enumerate(chosen)
    )
    assert right >= 0.98 * len(chosen), f"{right} of {len(chosen)}"
