"""Drawn squares and discs with their boxes, and a detector of one shot that is trained on them in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE, CELLS = 48, 6
LABELS = ("square", "disc")


def draw(count: int, seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> tuple[list[Any], list[Any], list[Any]]:
    """Return pictures, uint8, (height, width, 1), their boxes, (n, 4) corners in pixels, and their classes, (n,)."""
    generator = np.random.default_rng(seed)
    height, width = size
    pictures, boxes, classes = [], [], []
    for _ in range(count):
        picture = generator.integers(0, 40, (height, width)).astype(np.uint8)
        own_boxes, own_classes = [], []
        # One in the left half and one in the right, so that no two lie in one cell of the grid.
        for left in range(int(generator.integers(1, 3))):
            radius = int(generator.integers(height // 8, height // 5))
            x = int(generator.integers(radius, width // 2 - radius)) + left * width // 2
            y = int(generator.integers(radius, height - radius))
            kind = int(generator.integers(0, 2))
            rows, columns = np.mgrid[:height, :width]
            near_x, near_y = np.abs(columns + 0.5 - x), np.abs(rows + 0.5 - y)
            inside = np.maximum(near_x, near_y) <= radius if kind == 0 else np.hypot(near_x, near_y) <= radius
            picture[inside] = generator.integers(170, 250)
            own_boxes.append((x - radius, y - radius, x + radius, y + radius))
            own_classes.append(kind)
        pictures.append(picture[..., None])
        boxes.append(np.array(own_boxes, np.float32))
        classes.append(np.array(own_classes, np.int64))
    return pictures, boxes, classes


def targets(boxes: list[Any], classes: list[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what the cells must answer: (n, cells, 4), centre and size as shares, and (n, cells, classes)."""
    wanted = np.zeros((len(boxes), CELLS * CELLS, 4), np.float32)
    scores = np.zeros((len(boxes), CELLS * CELLS, len(LABELS)), np.float32)
    for number, (own, kinds) in enumerate(zip(boxes, classes, strict=True)):
        for (x1, y1, x2, y2), kind in zip(own / SIDE, kinds, strict=True):
            x, y = (x1 + x2) / 2, (y1 + y2) / 2
            cell = int(y * CELLS) * CELLS + int(x * CELLS)
            wanted[number, cell] = x, y, x2 - x1, y2 - y1
            scores[number, cell, kind] = 1.0
    return wanted, scores


def detector(*, activation: str | None = "sigmoid", seed: int = 0) -> Any:
    """Return a detector without training: `box`, (batch, 36, 4), rel_cxcywh, and `class`, (batch, 36, 2)."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 1))
    maps = layers.Rescaling(1 / 255)(image)
    for filters, strides in ((8, 2), (16, 2), (16, 2), (16, 1)):
        maps = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(maps)
        maps = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(maps))
    places = (np.mgrid[:CELLS, :CELLS][::-1].reshape(2, -1).T + 0.5) / CELLS
    middles = np.concatenate([places, np.full_like(places, 0.3)], axis=1).astype(np.float32)[None]
    offsets = layers.Reshape((CELLS * CELLS, 4))(layers.Conv2D(4, 1)(maps))
    box = layers.Rescaling(0.1, offset=middles.tolist(), name="box")(offsets)
    scores = layers.Conv2D(len(LABELS), 1, activation=activation)(maps)
    scores = layers.Reshape((CELLS * CELLS, len(LABELS)), name="class")(scores)
    return keras.Model(image, {"box": box, "class": scores})


def train(model: Any) -> Any:
    """Train a detector for some seconds on drawn pictures; return it."""
    import keras

    pictures, boxes, classes = draw(500, seed=1)
    places, scores = targets(boxes, classes)
    weights = {"box": scores.sum(axis=2), "class": np.where(scores.sum(axis=2) > 0, 6.0, 1.0)}
    # Of 36 cells one or two hold something: the mean over all is small.
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss={"box": "mae", "class": "binary_crossentropy"},
        loss_weights={"box": 50.0, "class": 1.0},
    )
    wanted = {"box": places, "class": scores}
    model.fit(np.stack(pictures), wanted, sample_weight=weights, epochs=8, batch_size=32, verbose=0)
    return model


def save(model: Any, path: Path) -> Path:
    """Save a model, and return its file."""
    model.save(path)
    return path
