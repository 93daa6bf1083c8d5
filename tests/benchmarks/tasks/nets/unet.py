"""A U-Net (arXiv:1505.04597): the class of each pixel of drawn scenes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork, first, fit
from tests.benchmarks.tasks.scenes import KINDS, SIDE, draw

FILTERS = (16, 32, 64, 128)
CLASSES = 1 + len(KINDS)


def data() -> Data:
    """Draw scenes and their masks."""
    return Data(*(_samples(count, seed) for count, seed in ((3000, 1), (300, 2), (1000, 3))))


def build() -> Any:
    """Return the network: `Conv2DTranspose` on the way up, as in the paper, and batch normalization."""
    from keras import Input, Model, layers

    def block(tensor: Any, filters: int) -> Any:
        for _ in range(2):
            tensor = layers.Conv2D(filters, 3, padding="same", use_bias=False)(tensor)
            tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
        return tensor

    image = Input((SIDE, SIDE, 3), name="image")
    tensor, skipped = layers.Rescaling(1 / 255)(image), []
    for filters in FILTERS[:-1]:
        tensor = block(tensor, filters)
        skipped.append(tensor)
        tensor = layers.MaxPooling2D()(tensor)
    tensor = block(tensor, FILTERS[-1])
    for filters, skip in zip(FILTERS[-2::-1], skipped[::-1], strict=True):
        tensor = layers.Conv2DTranspose(filters, 2, strides=2)(tensor)
        tensor = block(layers.Concatenate()([skip, tensor]), filters)
    return Model(image, layers.Conv2D(CLASSES, 1, activation="softmax", name="mask")(tensor), name="unet")


def train(samples: Data) -> Any:
    """Train it."""
    return fit(build(), samples, epochs=5, rate=4e-3, batch=32, loss="sparse_categorical_crossentropy")


def mean_iou(answers: Answers, samples: Samples) -> float:
    """Return the mean over classes of intersection over union, of the pixels of all pictures."""
    said, true = first(answers).argmax(axis=-1), samples.y
    shares = [((said == one) & (true == one)).sum() / ((said == one) | (true == one)).sum() for one in range(CLASSES)]
    return float(np.mean(shares))


def _samples(count: int, seed: int) -> Samples:
    scenes = draw(count, seed)
    return Samples(np.stack([scene.picture for scene in scenes]), np.stack([scene.mask for scene in scenes]))


LABELS = ("ground", *KINDS)

NETWORK = TaskNetwork(
    "unet", "U-Net, drawn shapes 48x48", "mean IoU", data, build, train, mean_iou, ("--labels", ",".join(LABELS))
)
