"""Layers that move values and compute none."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

SIDES = (6, 5, 4)
FIRST = "channels_first"
IMAGE = Feed((6, 5, 3))

one("Flatten", IMAGE)
one("Flatten", Feed((None, 5, 3)))
one("Flatten", Feed((3, 6, 5)), data_format=FIRST)
one("Flatten", Feed(()))
one("Reshape", IMAGE, target_shape=(5, 18))
one("Reshape", IMAGE, target_shape=(-1, 3))
one("Reshape", Feed((None, None, 3)), target_shape=(-1, 3))
one("Permute", IMAGE, dims=(3, 1, 2))
one("Permute", Feed((None, None, 3)), dims=(2, 1, 3))
one("RepeatVector", Feed((6,)), n=4)

for _rank in (1, 2, 3):
    _image, _first = Feed((*SIDES[:_rank], 3)), Feed((3, *SIDES[:_rank]))
    _dynamic = Feed((*(None,) * _rank, 3))
    _pairs = (1, 2) if _rank == 1 else tuple((index, 1) for index in range(_rank))
    for _kind, _amount in (("Cropping", "cropping"), ("ZeroPadding", "padding")):
        _name = f"{_kind}{_rank}D"
        one(_name, _image, **{_amount: 1})
        one(_name, _image, **{_amount: _pairs})
        one(_name, _dynamic, **{_amount: _pairs})
        if _rank > 1 or _kind == "ZeroPadding":
            one(_name, _first, **{_amount: 1}, data_format=FIRST)
    one(f"UpSampling{_rank}D", _image, size=2)
    one(f"UpSampling{_rank}D", _dynamic, size=3)
    if _rank > 1:
        one(f"UpSampling{_rank}D", _first, size=2, data_format=FIRST)

for _interpolation in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
    one("UpSampling2D", IMAGE, size=(2, 3), interpolation=_interpolation)
one("UpSampling2D", Feed((None, None, 3)), interpolation="bilinear")


@built("Flatten", Feed((8, 8, 3)))
def after_a_convolution(x: Any) -> Any:
    return layers.Dense(4)(layers.Flatten()(layers.Conv2D(5, 3, activation="relu")(x)))


@built("ZeroPadding2D", Feed((None, None, 3)))
def before_a_convolution(x: Any) -> Any:
    return layers.Conv2D(5, 3, strides=2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
