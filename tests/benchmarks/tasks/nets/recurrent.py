"""A GRU that reads a digit of MNIST row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tests.benchmarks.tasks.digits import images_of
from tests.benchmarks.tasks.network import Data, TaskNetwork, accuracy, fit

UNITS = 160


def data() -> Data:
    """Return rows, float32, (n, 28, 28), 0-1, and the digits."""
    parts = images_of("mnist", train=30_000)
    scaled = (
        replace(part, x=(part.x[..., 0] / 255.0).astype(np.float32))
        for part in (parts.train, parts.validation, parts.test)
    )
    return Data(*scaled)


def build() -> Any:
    """Return the network."""
    from keras import Input, Model, layers

    rows = Input((28, 28), name="rows")
    return Model(rows, layers.Dense(10, activation="softmax", name="digit")(layers.GRU(UNITS)(rows)), name="gru")


def train(samples: Data) -> Any:
    """Train it."""
    return fit(build(), samples, epochs=4, rate=4e-3, batch=128, loss="sparse_categorical_crossentropy")


NETWORK = TaskNetwork("gru", "GRU, MNIST row by row", "accuracy", data, build, train, accuracy)
