"""An embedder: pictures of Fashion-MNIST become directions, and those of a class lie near one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.tasks.digits import images_of
from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork, first, fit

SIZE = 64
TEMPERATURE = 12.0


def data() -> Data:
    """Return the images and their classes."""
    return images_of("fashion-mnist", train=15_000, test=4000)


def build() -> Any:
    """Return the network: pictures to vectors of length 1."""
    from keras import Input, Model, layers

    image = Input((28, 28, 1), name="image")
    tensor = layers.Rescaling(1 / 255)(image)
    for filters in (24, 48, 96):
        tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
        tensor = layers.MaxPooling2D()(tensor)
    tensor = layers.Dense(SIZE)(layers.Flatten()(tensor))
    return Model(image, layers.UnitNormalization(name="embedding")(tensor), name="embedder")


def train(samples: Data) -> Any:
    """Train it under a classifier of directions (NormFace, arXiv:1704.06369), which is left away."""
    from keras import Model, layers

    model = build()
    cosines = layers.Dense(10, use_bias=False, kernel_constraint="unit_norm")(model.output)
    scores = layers.Softmax()(layers.Rescaling(TEMPERATURE)(cosines))
    fit(Model(model.input, scores), samples, epochs=3, rate=4e-3, loss="sparse_categorical_crossentropy")
    return model


def neighbours_alike(answers: Answers, samples: Samples) -> float:
    """Return the share of pictures whose nearest other one, by cosine, is of the same class."""
    vectors = first(answers)
    near = vectors @ vectors.T
    np.fill_diagonal(near, -np.inf)
    return float(np.mean(samples.y[near.argmax(axis=1)] == samples.y))


NETWORK = TaskNetwork(
    "embedder",
    "embedder, Fashion-MNIST, 64 values",
    "recall@1",
    data,
    build,
    train,
    neighbours_alike,
    ("--task", "embedding"),
    judged=False,
)
