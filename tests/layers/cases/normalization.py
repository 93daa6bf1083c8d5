"""Normalisations by batch, layer, group, length and weight."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

ROW, IMAGE, ANY_SIZE = Feed((6,)), Feed((5, 4, 6)), Feed((None, None, 6))

for _feed in (ROW, IMAGE, ANY_SIZE):
    one("BatchNormalization", _feed)
one("BatchNormalization", IMAGE, axis=1)
one("BatchNormalization", IMAGE, center=False)
one("BatchNormalization", IMAGE, scale=False)
one("BatchNormalization", Feed((4, 6)))
one("BatchNormalization", Feed((2, 5, 4, 6)))

one("LayerNormalization", IMAGE)
one("LayerNormalization", ANY_SIZE)
one("LayerNormalization", IMAGE, axis=1)
one("LayerNormalization", IMAGE, axis=[1, 2, 3])
one("LayerNormalization", IMAGE, center=False, scale=False)
one("GroupNormalization", IMAGE, groups=3)
one("GroupNormalization", ANY_SIZE, groups=3)
one("GroupNormalization", IMAGE, groups=-1)
one("GroupNormalization", IMAGE, groups=1, center=False, scale=False)
one("GroupNormalization", Feed((6, 5, 4)), groups=2, axis=1)
one("RMSNormalization", IMAGE)
one("RMSNormalization", ANY_SIZE)
one("RMSNormalization", IMAGE, axis=1)
one("UnitNormalization", IMAGE)
one("UnitNormalization", IMAGE, axis=[1, 2])


@built("SpectralNormalization", ROW)
def of_a_dense_layer(x: Any) -> Any:
    return layers.SpectralNormalization(layers.Dense(4))(x)


@built("SpectralNormalization", IMAGE)
def of_a_convolution(x: Any) -> Any:
    return layers.SpectralNormalization(layers.Conv2D(4, 3), power_iterations=2)(x)


@built("BatchNormalization", Feed((5,), "int32", low=0, high=4))
def of_a_masked_sequence(x: Any) -> Any:
    return layers.BatchNormalization()(layers.Embedding(4, 3, mask_zero=True)(x))
