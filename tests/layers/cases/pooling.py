"""Pooling: windows, global and adaptive."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

SIDES = (9, 8, 7)
FIRST = "channels_first"

for _rank in (1, 2, 3):
    _image, _first = Feed((*SIDES[:_rank], 3)), Feed((3, *SIDES[:_rank]))
    _dynamic = Feed((*(None,) * _rank, 3))
    for _kind in ("Max", "Average"):
        _pool = f"{_kind}Pooling{_rank}D"
        one(_pool, _image, pool_size=2)
        one(_pool, _image, pool_size=3, strides=2)
        one(_pool, _image, pool_size=3, strides=2, padding="same")
        one(_pool, _image, pool_size=3, strides=1, padding="same")
        one(_pool, _first, pool_size=2, data_format=FIRST)
        one(_pool, _dynamic, pool_size=2)
        one(_pool, _dynamic, pool_size=3, strides=2, padding="same")

        _global = f"Global{_kind}Pooling{_rank}D"
        one(_global, _image)
        one(_global, _image, keepdims=True)
        one(_global, _first, data_format=FIRST)
        one(_global, _dynamic)

        _adaptive = f"Adaptive{_kind}Pooling{_rank}D"
        one(_adaptive, _image, output_size=3)
        one(_adaptive, _image, output_size=SIDES[0] if _rank == 1 else SIDES[:_rank])
        one(_adaptive, _image, output_size=1)
        one(_adaptive, _first, output_size=2, data_format=FIRST)
        one(_adaptive, _dynamic, output_size=2)

one("MaxPooling2D", Feed((9, 8, 3)), pool_size=(3, 2), strides=(1, 2))
one("AveragePooling2D", Feed((9, 8, 3)), pool_size=(3, 2), strides=(1, 2), padding="same")
one("MaxPooling2D", Feed((9, 8, 3), low=-2, high=-1), pool_size=3, padding="same", strides=3)


@built("GlobalAveragePooling2D", Feed((None, None, 3)))
def into_a_softmax(x: Any) -> Any:
    return layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x))
