from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from edgeconv.errors import ConfigError, ImageError, ManifestError
from edgeconv.fitting import Fitting
from edgeconv.pictures.preparation import prepare
from edgeconv.preparation import FILTERS, Preparation

DIGIT = Preparation("digit", 28, 28, 1)
RGB = Preparation("resize", 32, 48, 3)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    "preparation",
    [DIGIT, RGB, Preparation("resize", 8, 9, 1, fit="pad"), Preparation("resize", 8, 9, 4, fit_assumed=True)],
)
def test_a_preparation_survives_the_manifest(preparation):
    assert Preparation.from_dict(json.loads(json.dumps(preparation.as_dict()))) == preparation


def test_the_manifest_holds_only_the_fields_of_the_kind():
    assert set(DIGIT.as_dict()) == {"kind", "height", "width", "channels", "box"}
    assert set(RGB.as_dict()) == {"kind", "height", "width", "channels", "fit", "filter"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "face"}, r"`preprocess\.kind` must be one of digit, resize\. Received: 'face'"),
        ({"kind": None}, r"`preprocess\.kind` must be one of"),
        ({"height": 0}, r"`preprocess\.height` must be a positive integer\. Received: 0"),
        ({"width": 28.0}, r"`preprocess\.width` must be a positive integer\. Received: 28\.0"),
        ({"channels": 2}, r"`preprocess\.channels` must be 1, 3 or 4\. Received: 2"),
        ({"channels": 3}, r"`preprocess\.channels` must be 1 for digits"),
        ({"box": 29}, r"`preprocess\.box` must be at most the shorter side, 28\. Received: 29"),
        ({"fit": "crop"}, r"knows kind, height, width, channels, box\. Missing: none; unknown: 'fit'"),
        ({"sharpen": 1}, r"unknown: 'sharpen'\. Export the model again, or install a newer edgeconv"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(change, message):
    with pytest.raises(ManifestError, match=message):
        Preparation.from_dict(DIGIT.as_dict() | change)


@pytest.mark.parametrize(("field", "value"), [("fit", "zoom"), ("filter", "lanczos4"), ("fit_assumed", 1)])
def test_unknown_ways_to_resize_are_refused(field, value):
    with pytest.raises(ManifestError, match=rf"`preprocess\.{field}` must be .* Received: {value!r}"):
        Preparation.from_dict(RGB.as_dict() | {field: value})


def test_a_missing_field_is_named():
    with pytest.raises(ManifestError, match=r"Missing: height; unknown: none"):
        Preparation.from_dict({"kind": "digit", "width": 28, "channels": 1})


@pytest.mark.parametrize(
    "picture", [noise(9, 9), noise(9, 9, 2), noise(9, 9, 3).astype(float), np.zeros((0, 9, 1), np.uint8)]
)
def test_what_is_not_a_picture_is_refused(picture):
    with pytest.raises(ImageError, match=r"A picture must be uint8 \(height, width, 1, 3 or 4\)\. Received: "):
        prepare(picture, RGB)


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_of_the_models_size_is_not_resampled(fit, channels):
    picture = noise(32, 48, channels)
    assert (prepare(picture, Preparation("resize", 32, 48, channels, fit=fit)) == picture).all()


@pytest.mark.parametrize("shape", [(100, 300, 3), (300, 100, 3), (7, 5, 3), (64, 96, 3)])
def test_crop_equals_fit_of_pillow(shape):
    picture = noise(*shape)
    columns, rows = min(shape[1], round(shape[0] * 48 / 32)), min(shape[0], round(shape[1] * 32 / 48))
    top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    middle = Image.fromarray(picture[top : top + rows, left : left + columns])
    expected = np.asarray(middle.resize((48, 32), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(prepare(picture, RGB) - expected).max() <= 1


def test_stretch_ignores_the_aspect():
    picture = noise(100, 30, 1)
    expected = np.asarray(Image.fromarray(picture[..., 0]).resize((48, 32), Image.Resampling.BILINEAR)).astype(int)
    made = prepare(picture, Preparation("resize", 32, 48, 1, fit="stretch"))
    assert np.abs(made[..., 0] - expected).max() <= 1


def test_pad_keeps_all_of_the_picture_between_black_bars():
    picture = np.full((100, 100, 3), 200, np.uint8)
    made = prepare(picture, Preparation("resize", 32, 48, 3, fit="pad"))
    assert (made[:, 8:40] == 200).all()
    assert not made[:, :8].any()
    assert not made[:, 40:].any()
    assert np.asarray(ImageOps.pad(Image.fromarray(picture), (48, 32))).tolist() == made.tolist()


def test_grey_equals_mode_l_of_pillow():
    picture = noise(32, 48, 3)
    expected = np.asarray(Image.fromarray(picture).convert("L"))
    assert (prepare(picture, Preparation("resize", 32, 48, 1))[..., 0] == expected).all()


def test_grey_pictures_become_rgb_with_equal_channels():
    picture = noise(32, 48, 1)
    assert (prepare(picture, RGB) == picture).all()


def test_transparent_pictures_are_resized_over_white():
    picture = np.zeros((32, 48, 4), np.uint8)
    picture[:16, :, 3] = 255
    made = prepare(picture, RGB)
    assert not made[:16].any()
    assert (made[16:] == 255).all()


@pytest.mark.parametrize(
    ("stated", "fit", "filter_"),
    [
        ({}, "crop", "triangle"),
        ({"fit": "stretch", "antialias": False}, "stretch", "bilinear"),
        ({"interpolation": "nearest"}, "crop", "nearest"),
        ({"interpolation": "bilinear", "fit": "pad"}, "pad", "triangle"),
        ({"interpolation": "bicubic"}, "crop", "pillow-bicubic"),
        ({"interpolation": "lanczos3", "antialias": False}, "crop", "lanczos3"),
        ({"interpolation": "pillow-nearest"}, "crop", "pillow-nearest"),
    ],
)
def test_what_is_stated_of_fitting_becomes_the_preparation(stated, fit, filter_):
    made = Fitting(**stated).applied(RGB)
    assert (made.fit, made.filter) == (fit, filter_)


@pytest.mark.parametrize("filter_", FILTERS)
def test_a_fitting_is_read_back_from_a_preparation(filter_):
    made = Preparation("resize", 8, 8, 3, fit="pad", filter=filter_)
    assert Fitting.of(made).applied(RGB).as_dict() == RGB.as_dict() | {"fit": "pad", "filter": filter_}


def test_a_fitting_that_cannot_be_is_refused():
    with pytest.raises(ConfigError, match=r"`fit` must be one of crop, stretch, pad\. Received: 'zoom'"):
        Fitting("zoom")
    with pytest.raises(ConfigError, match=r"`interpolation` must be one of bilinear, nearest, .* Received: 'gaussian'"):
        Fitting(interpolation="gaussian")
    with pytest.raises(ConfigError, match=r"`antialias` True is for interpolation bilinear, .*\. Received: 'nearest'"):
        Fitting(interpolation="nearest", antialias=True)
    with pytest.raises(ConfigError, match=r"`antialias` False is for interpolation .*\. Received: 'box'"):
        Fitting(antialias=False).applied(Preparation("resize", 8, 8, 3, filter="pillow-box"))
    with pytest.raises(ConfigError, match=r"are for preparation 'resize'\. Received: preparation 'digit'"):
        Fitting("stretch").applied(DIGIT)


def test_a_fit_that_is_only_assumed_is_not_stated_until_somebody_does():
    assumed = Preparation("resize", 8, 8, 3, fit_assumed=True)
    assert Fitting.of(assumed).fit is None
    assert Fitting(interpolation="nearest").applied(assumed).fit_assumed
    stated = Fitting("crop").applied(assumed)
    assert (stated.fit, stated.fit_assumed, Fitting.of(stated).fit) == ("crop", False, "crop")


def test_a_model_that_takes_alpha_gets_it():
    picture = noise(32, 48, 4)
    rgba = Preparation("resize", 32, 48, 4)
    assert (prepare(picture, rgba) == picture).all()
    for other in (noise(32, 48, 3), noise(32, 48, 1)):
        made = prepare(other, rgba)
        assert (made[..., :3] == other).all()
        assert (made[..., 3] == 255).all()
    made = prepare(noise(32, 20, 4), Preparation("resize", 32, 48, 4, fit="pad"))
    assert not made[:, 0].any()


@pytest.mark.parametrize(
    ("stated", "other", "expected"),
    [
        (Fitting(), Fitting("stretch", antialias=False), Fitting("stretch", antialias=False)),
        (Fitting("pad"), Fitting("stretch", "nearest", False), Fitting("pad", "nearest", False)),
        (Fitting(interpolation="bicubic"), Fitting("crop", "nearest", False), Fitting("crop", "bicubic", False)),
        (Fitting(interpolation="box"), Fitting("crop", "nearest", False), Fitting("crop", "box", None)),
        (
            Fitting(antialias=True),
            Fitting("crop", "bilinear", False, "ignore"),
            Fitting("crop", "bilinear", True, "ignore"),
        ),
    ],
)
def test_what_is_stated_comes_before_what_is_stated_elsewhere(stated, other, expected):
    assert stated.or_else(other) == expected


def test_alpha_is_ignored_where_that_is_stated():
    picture = noise(32, 48, 4)
    ignored = Fitting(transparency="ignore").applied(RGB)
    assert (prepare(picture, ignored) == picture[..., :3]).all()
    assert ignored.as_dict()["transparency"] == "ignore"
    assert Preparation.from_dict(ignored.as_dict()) == ignored
    assert "transparency" not in RGB.as_dict()
    with pytest.raises(ConfigError, match=r"`transparency` must be one of white, ignore\. Received: 'black'"):
        Fitting(transparency="black")
    with pytest.raises(ManifestError, match=r"`preprocess\.transparency` must be one of white, ignore"):
        Preparation("resize", 8, 8, 3, transparency="black")
