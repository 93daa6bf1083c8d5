"""Wide pictures whose classes lie at the ends, which a crop cuts off, and a network that Keras trains on them."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

from edgeconv.progress import SILENT

SIDE = 16
"""Height and width of the network's input."""


class Words(type(SILENT)):  # type: ignore[misc]  # Its class has no public name.
    """A listener that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def save_wide_pictures(folder: Path) -> Path:
    """Save pictures of 24 x 72 by split and class, and return the folder."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 60), ("test", 20)):
        for label, name in enumerate(("left", "right")):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                picture = generator.integers(0, 60, (24, 72, 3), dtype=np.uint8)
                picture[4:20, (2 + 54 * label) : (16 + 54 * label)] += 180
                Image.fromarray(picture).save(folder / split / name / f"{index:02}.png")
    return folder


def train_on(pictures: Path, path: Path, *, scaled: bool = True) -> Path:
    """Train a network as the tutorials of Keras do, whose loader stretches pictures, and save it.

    Args:
        pictures: as `save_wide_pictures` saves them.
        path: of the network.
        scaled: whether it has a Rescaling layer; else it is given 0 to 1.
    """
    loaded = keras.utils.image_dataset_from_directory(
        pictures / "train", image_size=(SIDE, SIDE), seed=0, verbose=False
    )
    keras.utils.set_random_seed(0)
    scale = [layers.Rescaling(1 / 255)] if scaled else []
    body = [layers.AveragePooling2D(4), layers.Flatten(), layers.Dense(2, activation="softmax")]
    model = keras.Sequential([layers.Input((SIDE, SIDE, 3)), *scale, *body])
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    model.fit(loaded if scaled else loaded.map(lambda images, labels: (images / 255, labels)), epochs=10, verbose=0)
    model.save(path)
    return path
