"""An autoencoder of a machine's sound, as MLPerf Tiny's anomaly detection: what it cannot rebuild is damage."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeconv.parity.auc import area_under_curve
from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork, first, fit
from tests.benchmarks.tasks.sounds import machine

UNITS = (128, 128, 128, 128, 8, 128, 128, 128, 128)


def data() -> Data:
    """Return frames; what is right of those that it learns from is the frame itself."""
    made = machine()
    return Data(*(Samples(part.x, part.x) for part in (made.train, made.validation)), made.test)


def build() -> Any:
    """Return the network of the benchmark."""
    from keras import Input, Model, layers

    frame = Input((640,), name="frame")
    tensor = frame
    for units in UNITS:
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(units)(tensor)))
    return Model(frame, layers.Dense(640, name="rebuilt")(tensor), name="autoencoder")


def train(samples: Data) -> Any:
    """Train it on what is sound."""
    return fit(build(), samples, epochs=8, rate=2e-3, batch=128, loss="mse")


def auc_of_error(answers: Answers, samples: Samples) -> float:
    """Return the area under the ROC curve of the mean square error of each frame."""
    area = area_under_curve(np.square(first(answers) - samples.x).mean(axis=1), samples.y > 0.5)
    return 0.0 if area is None else area


NETWORK = TaskNetwork(
    "autoencoder",
    "autoencoder, synthesized machine, 640 values",
    "AUC of the error",
    data,
    build,
    train,
    auc_of_error,
    ("--task", "values"),
)
