"""A tagger: which digits are in a picture, with a sigmoid each."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.tasks.digits import STREWN, strewn
from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork, first, fit


def build() -> Any:
    """Return the network."""
    from keras import Input, Model, layers

    image = Input((STREWN, STREWN, 1), name="image")
    tensor = layers.Rescaling(1 / 255)(image)
    for filters in (16, 32, 64, 96):
        tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
        tensor = layers.MaxPooling2D()(tensor)
    tensor = layers.Conv2D(96, 3, padding="same", activation="relu")(tensor)
    tensor = layers.GlobalMaxPooling2D()(tensor)
    return Model(image, layers.Dense(10, activation="sigmoid", name="tags")(tensor), name="tagger")


def train(data: Data) -> Any:
    """Train it."""
    return fit(build(), data, epochs=5, rate=4e-3, loss="binary_crossentropy")


def macro_f1(answers: Answers, samples: Samples) -> float:
    """Return the mean over tags of 2 TP / (2 TP + FP + FN), at a threshold of 0.5."""
    said, true = first(answers) >= 0.5, samples.y > 0.5
    both = (said & true).sum(axis=0)
    return float(np.mean(2 * both / (said.sum(axis=0) + true.sum(axis=0))))


NETWORK = TaskNetwork("tagger", "tagger, several digits 56x56", "macro F1", strewn, build, train, macro_f1)
