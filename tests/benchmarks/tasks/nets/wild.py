"""A MobileNet whose depthwise channels differ in range by up to 256 to 1: what plain int8 breaks.

The factors are put behind each depthwise convolution and taken off in the next layer, which changes no answer. Networks
come out of training like this where batch normalization leaves some channels small (arXiv:1906.04721, section 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.tasks.digits import images_of
from tests.benchmarks.tasks.network import Data, TaskNetwork, accuracy, fit

OCTAVES = 8
BLOCKS = ((48, 1), (64, 2), (96, 1), (128, 2), (160, 1))
"""Filters and stride of each pair of a depthwise and a pointwise convolution."""


def data() -> Data:
    """Return MNIST."""
    return images_of("mnist", train=20_000)


def build() -> Any:
    """Return the network as MobileNet has it, without the factors."""
    from keras import Input, Model, layers

    def normed(tensor: Any, name: str) -> Any:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9, name=name)(tensor))

    image = Input((28, 28, 1), name="image")
    tensor = layers.Conv2D(24, 3, strides=2, padding="same", use_bias=False)(layers.Rescaling(1 / 255)(image))
    tensor = normed(tensor, "stem")
    for place, (filters, stride) in enumerate(BLOCKS):
        tensor = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(tensor)
        tensor = normed(tensor, f"depthwise_norm{place}")
        tensor = normed(layers.Conv2D(filters, 1, use_bias=False, name=f"pointwise{place}")(tensor), f"norm{place}")
    tensor = layers.GlobalAveragePooling2D()(tensor)
    return Model(image, layers.Dense(10, activation="softmax", name="probabilities")(tensor), name="wild_mobilenet")


def train(samples: Data) -> Any:
    """Train it, and make its ranges wild."""
    model = fit(build(), samples, epochs=5, rate=4e-3, batch=64, loss="sparse_categorical_crossentropy")
    make_wild(model)
    return model


def make_wild(model: Any) -> None:
    """Scale each depthwise channel by a power of two from 1 to 2**-8, and take it off in the next layer."""
    generator = np.random.default_rng(0)
    for place in range(len(BLOCKS)):
        norm, pointwise = model.get_layer(f"depthwise_norm{place}"), model.get_layer(f"pointwise{place}")
        gain, shift, mean, variance = norm.get_weights()
        factors = np.exp2(-generator.integers(0, OCTAVES + 1, len(gain))).astype(np.float32)
        norm.set_weights([gain * factors, shift * factors, mean, variance])
        (kernel,) = pointwise.get_weights()
        pointwise.set_weights([kernel / factors[None, None, :, None]])


NETWORK = TaskNetwork(
    "wild", "MobileNet, wild depthwise ranges, MNIST", "accuracy", data, build, train, accuracy, labelled=True
)
