"""A regressor: what a drawn gauge with a needle shows, and where its middle is."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork, first, fit

SIDE = 48
SWEEP = 1.5 * np.pi
"""The needle goes over three quarters of the circle, from the left below to the right below."""


def data() -> Data:
    """Draw gauges: uint8, (n, 48, 48, 1); values 0 to 1 for the needle, and for the middle's column and row."""
    return Data(_draw(6000, 1), _draw(1000, 2), _draw(3000, 3))


def build() -> Any:
    """Return the network."""
    from keras import Input, Model, layers

    image = Input((SIDE, SIDE, 1), name="image")
    tensor = layers.Rescaling(1 / 255)(image)
    for filters in (16, 32, 48, 64):
        tensor = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
    tensor = layers.Dense(96, activation="relu")(layers.Flatten()(tensor))
    return Model(image, layers.Dense(3, name="reading")(tensor), name="gauge")


def train(samples: Data) -> Any:
    """Train it."""
    return fit(build(), samples, epochs=12, rate=4e-3, loss="mse")


def r_squared(answers: Answers, samples: Samples) -> float:
    """Return the coefficient of determination, the mean over the values."""
    errors = np.square(first(answers) - samples.y).mean(axis=0)
    return float(np.mean(1.0 - errors / samples.y.var(axis=0)))


def _draw(count: int, seed: int) -> Samples:
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    values = generator.uniform(0, 1, (count, 3)).astype(np.float32)
    pictures = np.empty((count, SIDE, SIDE, 1), np.uint8)
    for picture, (reading, across, down) in zip(pictures, values, strict=True):
        radius = generator.uniform(14, 18)
        x, y = columns - (18 + 12 * across), rows - (18 + 12 * down)
        angle = np.pi * 0.75 + SWEEP * reading
        along, beside = x * np.cos(angle) + y * np.sin(angle), x * np.sin(angle) - y * np.cos(angle)
        drawn = np.full((SIDE, SIDE), generator.uniform(20, 90))
        drawn[np.hypot(x, y) <= radius] = generator.uniform(160, 240)
        needle = (np.abs(beside) <= 1.0) & (along >= 0) & (along <= 0.85 * radius)
        drawn[needle] = generator.uniform(0, 60)
        drawn += generator.normal(0, generator.uniform(2, 14), drawn.shape)
        picture[..., 0] = np.clip(drawn, 0, 255).round()
    return Samples(pictures, values)


NETWORK = TaskNetwork(
    "gauge",
    "regressor, a gauge's needle 48x48",
    "R²",
    data,
    build,
    train,
    r_squared,
    ("--task", "values", "--labels", "reading,across,down"),
)
