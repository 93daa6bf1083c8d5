"""A detector of one shot: boxes and scores of the cells of one grid, over drawn scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.average_precision import OVERLAPS, mean_average_precision
from tests.benchmarks.tasks.network import Answers, Data, Samples, TaskNetwork
from tests.benchmarks.tasks.scenes import KINDS, MOST, SIDE, Scene, draw

CELLS = 6


def data() -> Data:
    """Draw scenes; what is right of each, (3, 6): corners in pixels, 1 or 0 where there are fewer, and the class."""
    return Data(*(_samples(count, seed) for count, seed in ((5000, 1), (500, 2), (1500, 3))))


def build() -> Any:
    """Return the network: `box`, (batch, 36, 4), centres and sizes as shares, and `class`, (batch, 36, 3)."""
    from keras import Input, Model, layers

    image = Input((SIDE, SIDE, 3), name="image")
    tensor = layers.Rescaling(1 / 255)(image)
    for filters, strides in ((16, 2), (32, 1), (32, 2), (64, 1), (64, 2), (96, 1)):
        tensor = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(tensor)
        tensor = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(tensor))
    places = (np.mgrid[:CELLS, :CELLS][::-1].reshape(2, -1).T + 0.5) / CELLS
    middles = np.concatenate([places, np.full_like(places, 0.3)], axis=1).astype(np.float32)[None]
    offsets = layers.Reshape((CELLS * CELLS, 4))(layers.Conv2D(4, 1)(tensor))
    box = layers.Rescaling(0.1, offset=middles.tolist(), name="box")(offsets)
    scores = layers.Conv2D(len(KINDS), 1, activation="sigmoid")(tensor)
    return Model(image, {"box": box, "class": layers.Reshape((CELLS * CELLS, len(KINDS)), name="class")(scores)})


def train(samples: Data) -> Any:
    """Train it: of 36 cells one to three hold something, so that these weigh more."""
    import keras

    boxes, scores = _by_cell(samples.train.y)
    holds = scores.sum(axis=2)
    model, epochs, batch = build(), 10, 32
    rate = keras.optimizers.schedules.CosineDecay(5e-3, epochs * -(-len(boxes) // batch))
    losses = {"box": "mae", "class": "binary_crossentropy"}
    model.compile(keras.optimizers.Adam(rate), losses, loss_weights={"box": 50.0, "class": 1.0})
    weights = {"box": holds, "class": np.where(holds > 0, 6.0, 1.0)}
    wanted = {"box": boxes, "class": scores}
    model.fit(samples.train.x, wanted, sample_weight=weights, epochs=epochs, batch_size=batch, verbose=2)
    return model


def average_precision(answers: Answers, samples: Samples) -> float:
    """Return COCO's first figure: the mean average precision at overlaps from 0.5 to 0.95."""
    boxes, scores, classes = answers["boxes"], answers["scores"], answers["classes"]
    found = np.concatenate([boxes, scores[..., None], classes[..., None].astype(np.float32)], axis=2)
    return mean_average_precision(found, samples.y, OVERLAPS)


def _samples(count: int, seed: int) -> Samples:
    scenes = draw(count, seed)
    return Samples(np.stack([scene.picture for scene in scenes]), np.stack([_rows(scene) for scene in scenes]))


def _rows(scene: Scene) -> NDArray[np.float32]:
    rows = np.zeros((MOST, 6), np.float32)
    rows[:, 5] = -1.0
    count = len(scene.kinds)
    rows[:count, :4], rows[:count, 4], rows[:count, 5] = scene.boxes, 1.0, scene.kinds
    return rows


def _by_cell(rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the cells must answer."""
    boxes = np.zeros((len(rows), CELLS * CELLS, 4), np.float32)
    scores = np.zeros((len(rows), CELLS * CELLS, len(KINDS)), np.float32)
    for number, own in enumerate(rows):
        for row in own[own[:, 4] > 0]:
            (x1, y1, x2, y2), kind = row[:4] / SIDE, int(row[5])
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            cell = int(y * CELLS) * CELLS + int(x * CELLS)
            boxes[number, cell] = x, y, x2 - x1, y2 - y1
            scores[number, cell, kind] = 1.0
    return boxes, scores


NETWORK = TaskNetwork(
    "detector",
    "one-shot detector, drawn shapes 48x48",
    "mAP 0.5:0.95",
    data,
    build,
    train,
    average_precision,
    ("--boxes", "format=rel_cxcywh", "--labels", ",".join(KINDS), "--nms"),
    judged=False,
)
