"""A network in the style of MobileNetV2, trained on Fashion-MNIST at 56x56: what int8 finds hard.

Depthwise convolutions whose channels differ widely in range, ReLU6, batch-norm to be folded, linear bottlenecks
(arXiv:1801.04381), and the scaling of pixels inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.datasets import Dataset

SIDE = 56
STEM = 16
BLOCKS = ((1, 16, 1, 1), (4, 24, 2, 2), (6, 32, 2, 2), (6, 64, 2, 2))
"""Rows of expansion, filters, repeats and the first stride, as in table 2 of the paper, less deep and less wide."""

TOP = 256
BATCH = 128
EPOCHS_SMALL = 6
EPOCHS_LARGE = 2
PEAK = 4e-3
SEED = 0


def build(side: int | None = SIDE) -> Any:
    """Return the network, untrained: raw pixels, (batch, side, side, 1), 0-255, to 10 probabilities."""
    from keras import Input, Model, layers

    pixels = Input((side, side, 1), name="image")
    tensor = layers.Rescaling(1 / 127.5, -1.0)(pixels)
    tensor = _normed(layers.Conv2D(STEM, 3, strides=2, padding="same", use_bias=False)(tensor))
    for expansion, filters, repeats, stride in BLOCKS:
        for repeat in range(repeats):
            tensor = _bottleneck(tensor, expansion, filters, stride if repeat == 0 else 1)
    tensor = _normed(layers.Conv2D(TOP, 1, use_bias=False)(tensor))
    tensor = layers.GlobalAveragePooling2D()(tensor)
    return Model(pixels, layers.Dense(10, activation="softmax", name="probabilities")(tensor), name="mobilenet")


def train(small: NDArray[np.uint8], large: NDArray[np.uint8], labels: NDArray[np.int64]) -> Any:
    """Return a trained network: epochs on the images as they were, a quarter of the work, then on the enlarged ones.

    AdamW, and one cycle of the learning rate over all of it.
    """
    import keras

    keras.utils.set_random_seed(SEED)
    flexible = build(None)
    steps = (EPOCHS_SMALL + EPOCHS_LARGE) * -(-len(labels) // BATCH)
    rise = steps // 5
    rate = keras.optimizers.schedules.CosineDecay(PEAK / 20, steps - rise, warmup_target=PEAK, warmup_steps=rise)
    flexible.compile(keras.optimizers.AdamW(rate, weight_decay=0.02), "sparse_categorical_crossentropy")
    for images, epochs in ((small, EPOCHS_SMALL), (large, EPOCHS_LARGE)):
        flexible.fit(images, labels, batch_size=BATCH, epochs=epochs, verbose=2)
    model = build()
    model.set_weights(flexible.get_weights())
    return model


def enlarge(data: Dataset, file: Path) -> None:
    """Write a dataset of small images at 56x56, bilinear, as an `.npz` that `edgeconv export --dataset` reads."""
    train_images, test_images = (_enlarged(split.images) for split in (data.train, data.test))
    np.savez(file, x_train=train_images, y_train=data.train.labels, x_test=test_images, y_test=data.test.labels)


def _enlarged(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    size = (SIDE, SIDE)
    rows = [Image.fromarray(image[..., 0]).resize(size, Image.Resampling.BILINEAR) for image in images]
    return np.stack([np.asarray(row, np.uint8) for row in rows])[..., None]


def _bottleneck(tensor: Any, expansion: int, filters: int, stride: int) -> Any:
    from keras import layers

    channels = tensor.shape[-1]
    inner = tensor
    if expansion > 1:
        inner = _normed(layers.Conv2D(channels * expansion, 1, use_bias=False)(inner))
    inner = _normed(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(inner))
    outer = _normed(layers.Conv2D(filters, 1, use_bias=False)(inner), relu6=False)
    return layers.Add()([tensor, outer]) if stride == 1 and channels == filters else outer


def _normed(tensor: Any, *, relu6: bool = True) -> Any:
    from keras import layers

    # A short memory: Keras' default momentum of 0.99 outlasts a training of so few steps.
    tensor = layers.BatchNormalization(momentum=0.9)(tensor)
    return layers.ReLU(6.0)(tensor) if relu6 else tensor
