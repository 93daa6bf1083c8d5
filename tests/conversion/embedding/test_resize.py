"""The preparation inside the graph makes of any picture what `pictures.preparation.prepare` makes: kind "resize"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("onnx_ir", reason="the conversion room needs the extra `train`")
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import FILTERS, FITS, Preparation
from tests.conversion.embedding.embedded import Embedded, difference, with_mean_model

SIZES = [(1, 1), (2, 3), (1, 500), (500, 1), (32, 48), (20, 33), (57, 100), (301, 199), (640, 481)]
"""Smaller and larger than the models' sizes, of other aspects, and equal to them."""


@pytest.fixture(scope="module")
def embedded() -> dict[Preparation, Embedded]:
    """Return a graph for each fit and each way to resize, in colour and in grey."""
    sizes = [(32, 48, 3), (20, 33, 1), (31, 24, 4)]
    ways = [("crop", "triangle"), ("pad", "triangle"), *(("stretch", way) for way in FILTERS), ("pad", "nearest")]
    ways += [("pad", "pillow-bicubic"), ("crop", "lanczos5")]
    assert {fit for fit, _ in ways} == set(FITS)
    preparations = [Preparation("resize", *size, fit=fit, filter=way) for size in sizes for fit, way in ways]
    preparations += [replace(preparations[0], transparency="ignore"), replace(preparations[10], transparency="ignore")]
    return {preparation: with_mean_model(preparation) for preparation in preparations}


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", SIZES)
def test_it_agrees_with_numpy(embedded: dict[Preparation, Embedded], size: tuple[int, int], channels: int) -> None:
    rng = np.random.default_rng(size[0] * channels)
    coarse = rng.integers(0, 256, (size[0] // 8 + 1, size[1] // 8 + 1, channels), np.uint8)
    smooth = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[: size[0], : size[1]]
    for picture in (smooth, rng.integers(0, 256, (*size, channels), np.uint8)):
        for preparation, model in embedded.items():
            made = model.prepare(picture)
            # Whole numbers add up alike in any order; float32, by blocks or at once, may round otherwise.
            whole = preparation.channels == 4 and preparation.filter == "triangle"
            rounds = not whole and not preparation.filter.startswith("pillow-") and preparation.filter != "nearest"
            assert difference(made, prepare(picture, preparation)) <= rounds, preparation


def test_a_picture_that_fits_is_not_changed(embedded: dict[Preparation, Embedded]) -> None:
    rng = np.random.default_rng(0)
    for preparation, model in embedded.items():
        picture = rng.integers(0, 256, (preparation.height, preparation.width, preparation.channels), np.uint8)
        assert np.array_equal(model.prepare(picture), picture)


def test_the_model_is_given_what_was_prepared(embedded: dict[Preparation, Embedded]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    for model in embedded.values():
        assert model.answer(picture)[0] == pytest.approx(model.prepare(picture).mean() / 255, abs=1e-5)
