"""Conv1D over windows of motion: which activity it is."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.tasks.motions import ACTIVITIES, AXES, STEPS, motions
from tests.benchmarks.tasks.network import Data, TaskNetwork, accuracy, fit


def build() -> Any:
    """Return the network."""
    from keras import Input, Model, layers

    window = Input((STEPS, AXES), name="window")
    tensor = window
    for filters, strides in ((48, 2), (64, 2), (96, 2), (128, 1)):
        tensor = layers.Conv1D(filters, 5, strides=strides, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
    tensor = layers.GlobalAveragePooling1D()(tensor)
    return Model(window, layers.Dense(ACTIVITIES, activation="softmax", name="activity")(tensor), name="conv1d")


def train(data: Data) -> Any:
    """Train it."""
    return fit(build(), data, epochs=5, rate=3e-3, loss="sparse_categorical_crossentropy")


NETWORK = TaskNetwork("conv1d", "Conv1D, synthesized motion", "accuracy", motions, build, train, accuracy)
