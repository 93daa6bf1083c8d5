"""Make `tests/data/quantize_model.h5`, what `quantize_model` of TensorFlow Model Optimization leaves in a file.

Beside it, in `.npz`, are some inputs and what the wrapped model answers. Run it by hand, where that is installed:
``TF_USE_LEGACY_KERAS=1 python tests/data/make_quantize_model.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIDE, CLASSES = 12, 3


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return noise with a bright column, (count, 12, 12, 1), 0 to 0.9, and where it stands."""
    generator = np.random.default_rng(0)
    places = generator.integers(0, CLASSES, count)
    images = generator.random((count, SIDE, SIDE, 1)).astype(np.float32) * 0.3
    for image, place in zip(images, places, strict=True):
        image[:, 3 * place : 3 * place + 4] += 0.6
    return images, places


def main() -> None:
    """Train a small network with its quantization in mind."""
    import tensorflow_model_optimization as tfmot
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    image = layers.Input((SIDE, SIDE, 1), name="image")
    tensor = layers.Conv2D(6, 3, use_bias=False, name="conv")(image)
    tensor = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(tensor))
    tensor = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(tensor)
    tensor = layers.Add(name="add")([tensor, layers.Conv2D(6, 1, name="pointwise")(tensor)])
    tensor = layers.GlobalAveragePooling2D(name="pool")(tensor)
    model = keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="probabilities")(tensor))
    model = tfmot.quantization.keras.quantize_model(model)
    model.compile("adam", "sparse_categorical_crossentropy")
    images, places = pictures(600)
    model.fit(images, places, epochs=25, batch_size=16, verbose=2)
    file = Path(__file__).with_name("quantize_model.h5")
    model.save(file, include_optimizer=False)
    np.savez_compressed(file.with_suffix(".npz"), x=images[:32], answers=model.predict(images[:32]), y=places[:32])


if __name__ == "__main__":
    main()
