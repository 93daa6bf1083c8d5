"""Pictures: resized, cropped, rescaled, equalized."""

from __future__ import annotations

from itertools import product
from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

PIXELS = Feed((12, 10, 3), low=0, high=255)
ANY_SIZE = Feed((None, None, 3), low=0, high=255, sizes=(11, 16))
BYTES = Feed((12, 10, 3), "uint8", low=0, high=256)
FIRST = "channels_first"

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")
FITTINGS: tuple[dict[str, bool], ...] = ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True})

for _interpolation, _fitting, (_height, _width), _antialias in product(
    INTERPOLATIONS, FITTINGS, ((7, 8), (19, 17)), ({}, {"antialias": True})
):
    one("Resizing", PIXELS, height=_height, width=_width, interpolation=_interpolation, **_fitting, **_antialias)
for _interpolation in ("nearest", "bilinear", "bicubic", "area"):
    one("Resizing", ANY_SIZE, height=13, width=9, interpolation=_interpolation)
    one("Resizing", BYTES, height=7, width=8, interpolation=_interpolation)
for _fitting in FITTINGS[1:]:
    one("Resizing", ANY_SIZE, height=13, width=9, **_fitting)
one("Resizing", Feed((3, 12, 10), low=0, high=255), height=7, width=8, data_format=FIRST)
one("Resizing", PIXELS, height=12, width=10)
one("Resizing", PIXELS, height=7, width=8, interpolation="gaussian")
one("Resizing", PIXELS, height=7, width=8, interpolation="mitchellcubic")
one("Resizing", PIXELS, height=6, width=5, antialias=True)
one("Resizing", PIXELS, height=7, width=8, pad_to_aspect_ratio=True, fill_value=9.0)

one("Rescaling", PIXELS, scale=1 / 255, offset=-0.5)
one("Rescaling", BYTES, scale=1 / 127.5, offset=-1.0)
one("Rescaling", PIXELS, scale=[0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0])
one("CenterCrop", PIXELS, 6, 5)
one("CenterCrop", PIXELS, 20, 15)
one("CenterCrop", ANY_SIZE, 6, 5)
one("CenterCrop", Feed((3, 12, 10), low=0, high=255), 6, 5, data_format=FIRST)

for _name in ("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Solarization"):
    one(_name, PIXELS)
one("Solarization", PIXELS, addition_factor=0.2, threshold_factor=0.5)


@built("Equalization", PIXELS)
def in_a_pipeline(x: Any) -> Any:
    """Alone Keras makes no model of it: its symbolic output is its input."""
    return layers.Pipeline([layers.Equalization()])(x)


@built("Resizing", BYTES)
def of_bytes_before_a_convolution(x: Any) -> Any:
    return layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(layers.Resizing(8, 8)(x)))
