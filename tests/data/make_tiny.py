"""Make `tests/data/tiny`, the artifact that the tests of the runtime use: colours as classes, 12 x 12 pixels.

Run it by hand when the contract changes: ``python tests/data/make_tiny.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

CLASSES = ("red", "green", "blue")


def patches(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noisy uint8 patches, (count, 12, 12, 3), and their classes, each a colour that outshines the others."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES)
    images = generator.integers(0, 120, (count, 12, 12, 3))
    images[np.arange(count), :, :, labels] += generator.integers(40, 120, (count, 12, 12))
    return images.astype(np.uint8), labels.astype(np.uint8)


def main() -> None:
    """Train a small network with keras, and export it with edgeconv."""
    import keras

    import edgeconv

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((12, 12, 3), dtype="uint8", name="image"),
            layers.Rescaling(1 / 127.5, offset=-1.0, name="rescaling"),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="conv1"),
            layers.BatchNormalization(name="norm1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(8, 3, activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(name="pool2"),
            layers.Dense(3, activation="softmax", name="probabilities"),
        ]
    )
    images, labels = patches(600, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, epochs=15, verbose=0)
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        test_images, test_labels = patches(90, seed=1)
        np.savez(
            Path(scratch) / "patches.npz",
            x_train=images,
            y_train=labels,
            x_test=test_images,
            y_test=test_labels,
            labels=np.array(CLASSES),
        )
        model.save(Path(scratch) / "tiny.keras")
        exported = edgeconv.export(
            Path(scratch) / "tiny.keras",
            config=edgeconv.ExportConfig(quantize=True, embed_preprocessing=True),
            dataset=f"{scratch}/patches.npz",
            out=here / "tiny",
        )
    for row in exported.ledger.rows:
        print(row.stage, row.accuracy, len(row.flips), row.max_abs_dp)


if __name__ == "__main__":
    main()
