"""Convolutions: plain, transposed, depthwise and separable."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

SIDES = (9, 8, 7)
FIRST = "channels_first"

for _rank in (1, 2, 3):
    _image = Feed((*SIDES[:_rank], 4))
    _dynamic = Feed((*(None,) * _rank, 4))
    _first = Feed((4, *SIDES[:_rank]))
    _conv, _transposed = f"Conv{_rank}D", f"Conv{_rank}DTranspose"

    one(_conv, _image, 6, 3)
    one(_conv, _image, 6, 3, strides=2)
    one(_conv, _image, 6, 3, padding="same")
    one(_conv, _image, 6, 3, strides=2, padding="same")
    one(_conv, _image, 6, 3, dilation_rate=2)
    one(_conv, _image, 6, 3, dilation_rate=2, padding="same")
    one(_conv, _image, 6, 3, groups=2)
    one(_conv, _image, 6, 3, groups=2, strides=2, padding="same")
    one(_conv, _image, 6, 3, activation="relu", use_bias=False)
    one(_conv, _first, 5, 3, data_format=FIRST)
    one(_conv, _first, 6, 3, data_format=FIRST, padding="same", strides=2)
    one(_conv, _dynamic, 6, 3)
    one(_conv, _dynamic, 6, 3, strides=2, padding="same")
    one(_conv, _dynamic, 6, 3, groups=2, padding="same")

    one(_transposed, _image, 6, 3)
    one(_transposed, _image, 6, 3, strides=2)
    one(_transposed, _image, 6, 3, strides=2, padding="same")
    one(_transposed, _image, 6, 3, strides=2, output_padding=1)
    one(_transposed, _image, 6, 3, strides=2, padding="same", output_padding=0)
    one(_transposed, _image, 6, 3, dilation_rate=2)
    one(_transposed, _image, 6, 3, activation="relu", use_bias=False)
    one(_transposed, _first, 6, 3, data_format=FIRST, strides=2)
    one(_transposed, _dynamic, 6, 3, strides=2, padding="same")

one("Conv1D", Feed((9, 4)), 6, 3, padding="causal")
one("Conv1D", Feed((None, 4)), 6, 3, padding="causal", dilation_rate=2)
one("Conv2D", Feed((9, 8, 4)), 6, (3, 2), strides=(2, 1))
one("Conv2D", Feed((9, 8, 4)), 8, 3, groups=4)
one("Conv2D", Feed((9, 8, 4)), 6, 1)
one("Conv2DTranspose", Feed((5, 4, 4)), 6, 4, strides=2, padding="same")
one("Conv2DTranspose", Feed((5, 4, 4)), 6, 2, strides=3)
one("Conv2D", Feed((9, 8, 3)), 4, 3, lora_rank=2)

for _rank in (1, 2):
    _image = Feed((*SIDES[:_rank], 4))
    _dynamic = Feed((*(None,) * _rank, 4))
    _first = Feed((4, *SIDES[:_rank]))
    for _kind, _needs in ((f"DepthwiseConv{_rank}D", (3,)), (f"SeparableConv{_rank}D", (6, 3))):
        one(_kind, _image, *_needs)
        one(_kind, _image, *_needs, depth_multiplier=2)
        one(_kind, _image, *_needs, padding="same")
        one(_kind, _image, *_needs, strides=2, padding="same")
        one(_kind, _image, *_needs, dilation_rate=2)
        one(_kind, _image, *_needs, activation="relu", use_bias=False)
        one(_kind, _first, *_needs, data_format=FIRST)
        one(_kind, _dynamic, *_needs, padding="same")


@built("Conv2D", Feed((None, None, 3)))
def with_batch_normalization_and_relu(x: Any) -> Any:
    x = layers.Conv2D(4, 3, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


@built("DepthwiseConv2D", Feed((9, 8, 4)))
def with_batch_normalization(x: Any) -> Any:
    return layers.BatchNormalization()(layers.DepthwiseConv2D(3, use_bias=False)(x))


@built("Conv2D", Feed((4, 9, 8)))
def channels_first_with_as_many_filters_as_columns(x: Any) -> Any:
    """Keras takes the columns for the channels, and adds the bias along them; a file has none of this."""
    return layers.Conv2D(6, 3, data_format=FIRST)(x)
