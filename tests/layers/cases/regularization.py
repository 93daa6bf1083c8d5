"""What acts in training only, and must be nothing at inference."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

ROW = Feed((6,))

one("Dropout", ROW, 0.5)
one("Dropout", Feed((None, 6)), 0.5)
one("AlphaDropout", ROW, 0.5)
one("GaussianDropout", ROW, 0.5)
one("GaussianNoise", ROW, 0.5)
one("SpatialDropout1D", Feed((5, 6)), 0.5)
one("SpatialDropout2D", Feed((5, 4, 6)), 0.5)
one("SpatialDropout2D", Feed((6, 5, 4)), 0.5, data_format="channels_first")
one("SpatialDropout3D", Feed((3, 5, 4, 6)), 0.5)


@built("Dropout", ROW)
def between_dense_layers(x: Any) -> Any:
    return layers.Dense(3)(layers.Dropout(0.5, noise_shape=(None, 1))(layers.Dense(5, activation="relu")(x)))
