"""A small vision transformer (arXiv:2010.11929) on Fashion-MNIST: patches, attention, layer normalization, GELU."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.tasks.digits import images_of
from tests.benchmarks.tasks.network import Data, TaskNetwork, accuracy, fit

PATCH, WIDTH, HEADS, DEPTH = 7, 96, 4, 4


def data() -> Data:
    """Return the images and their classes."""
    return images_of("fashion-mnist", train=20_000)


def build() -> Any:
    """Return the network: 16 patches, and the mean over them at the end."""
    from keras import Input, Model, layers

    image = Input((28, 28, 1), name="image")
    maps = layers.Conv2D(WIDTH, PATCH, strides=PATCH)(layers.Rescaling(1 / 127.5, offset=-1.0)(image))
    # Where a patch lies is learnt from the zeros around them (arXiv:2102.10882).
    maps = layers.Add()([maps, layers.DepthwiseConv2D(3, padding="same")(maps)])
    tensor = layers.Reshape((-1, WIDTH))(maps)
    for _ in range(DEPTH):
        normed = layers.LayerNormalization()(tensor)
        tensor = layers.Add()([tensor, layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(normed, normed)])
        normed = layers.Dense(2 * WIDTH, activation="gelu")(layers.LayerNormalization()(tensor))
        tensor = layers.Add()([tensor, layers.Dense(WIDTH)(normed)])
    tensor = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(tensor))
    return Model(image, layers.Dense(10, activation="softmax", name="probabilities")(tensor), name="vit")


def train(samples: Data) -> Any:
    """Train it."""
    return fit(build(), samples, epochs=4, rate=1.5e-3, batch=128, loss="sparse_categorical_crossentropy")


NETWORK = TaskNetwork(
    "vit", "vision transformer, Fashion-MNIST", "accuracy", data, build, train, accuracy, labelled=True
)
