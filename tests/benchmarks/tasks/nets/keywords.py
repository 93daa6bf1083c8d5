"""A DS-CNN (arXiv:1711.07128) over spectrograms: which word was said."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.tasks.network import Data, TaskNetwork, accuracy, fit
from tests.benchmarks.tasks.sounds import BANDS, FRAMES, WORDS, words

FILTERS = 112
BLOCKS = 4


def build() -> Any:
    """Return the network, wider than MLPerf Tiny's."""
    from keras import Input, Model, layers

    def normed(tensor: Any) -> Any:
        return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))

    spectrogram = Input((FRAMES, BANDS, 1), name="spectrogram")
    tensor = normed(layers.Conv2D(FILTERS, (10, 4), strides=2, padding="same", use_bias=False)(spectrogram))
    for _ in range(BLOCKS):
        tensor = normed(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(tensor))
        tensor = normed(layers.Conv2D(FILTERS, 1, use_bias=False)(tensor))
    tensor = layers.GlobalAveragePooling2D()(tensor)
    return Model(spectrogram, layers.Dense(WORDS, activation="softmax", name="word")(tensor), name="ds_cnn")


def train(data: Data) -> Any:
    """Train it."""
    return fit(build(), data, epochs=4, rate=4e-3, loss="sparse_categorical_crossentropy")


NETWORK = TaskNetwork("dscnn", "DS-CNN, synthesized words 49x10", "accuracy", words, build, train, accuracy)
