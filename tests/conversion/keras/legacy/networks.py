"""Networks of the kinds of which people have files of Keras 2, built by tf-keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

layers = keras.layers


def teachable_machine() -> Any:
    """Return a MobileNet in a Sequential in a Sequential, beside the Sequential of its classes."""
    base = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, include_top=False, weights=None)
    features = keras.Sequential([base, layers.GlobalAveragePooling2D()])
    classes = [
        layers.Dense(10, activation="relu", input_shape=(1280,)),
        layers.Dense(3, use_bias=False, activation="softmax"),
    ]
    model = keras.Sequential([features, keras.Sequential(classes)])
    model.build((None, 64, 64, 3))
    return model


def cats_and_dogs() -> Any:
    """Return a convnet with one answer, and its scaling inside."""
    return keras.Sequential(
        [
            layers.Rescaling(1 / 255, input_shape=(48, 40, 3)),
            layers.RandomFlip("horizontal"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.5, noise_shape=None),
            layers.Flatten(),
            layers.Dense(16, activation="relu", kernel_regularizer="l2"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def tagger() -> Any:
    """Return a convnet with several answers, on a base whose pixels TensorFlow's functions scale."""
    x = keras.Input((40, 40, 3))
    base = keras.applications.MobileNet((40, 40, 3), alpha=0.25, include_top=False, weights=None, pooling="avg")
    base.trainable = False
    y = base(x * 2.0 - 1.0)
    y = tf.concat([y, tf.math.l2_normalize(y, axis=-1)], axis=-1)
    return keras.Model(x, layers.Dense(5, activation="sigmoid", name="tags/all")(y))


def u_net() -> Any:
    """Return a network of pictures to masks, with skips, batch normalization and slices."""
    x = keras.Input((32, 32, 3))
    first = layers.BatchNormalization(name="down/1/norm")(layers.Conv2D(4, 3, padding="same", name="down/1/conv")(x))
    down = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.MaxPooling2D()(first))
    up = layers.Conv2DTranspose(4, 2, strides=2, padding="same")(layers.LeakyReLU(0.1)(down))
    joined = layers.Concatenate()([first, up])[:, 1:-1, 1:-1, :]
    resized = tf.image.resize(joined, (32, 32))
    return keras.Model(x, layers.Conv2D(2, 1, activation="softmax")(resized))


NETWORKS = (teachable_machine, cats_and_dogs, tagger, u_net)


def enlivened(model: Any) -> Any:
    """Return a model whose constant weights, such as biases and moving means, are spread: zeros would hide mistakes."""
    generator = np.random.default_rng(7)
    for weight in model.weights:
        value = weight.numpy()
        if np.issubdtype(value.dtype, np.floating) and np.ptp(value) == 0:
            weight.assign(value + generator.uniform(-0.3, 0.3, value.shape).astype(value.dtype))
    return model
