"""The networks, layer by layer. Each takes raw pixels and gives probabilities.

The convnet is the one of F. Chollet, Deep Learning with Python, 1st edition (2018), section 5.1, and its variants are
those of section 5.1.2: the same without pooling, and with strides or average pooling instead of max pooling.
"""

from __future__ import annotations

import keras
from keras import layers

from edgeconv.config import TrainConfig
from edgeconv.errors import ConfigError
from edgeconv.training.seeds import derived_seed

KERNEL = 3
"""Side of every convolution's window in pixels."""

_POOLINGS = {"convnet": layers.MaxPooling2D, "convnet-avgpool": layers.AveragePooling2D}


def build_model(config: TrainConfig, image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Build an untrained model.

    Args:
        config: `arch`, `depth`, `padding`, `dropout` and `seed` count.
        image_shape: (height, width, channels) of an image.
        classes: number of outputs.

    Returns:
        A model from `image`, uint8, (batch, height, width, channels), 0-255, to `probabilities`, float32,
        (batch, classes), in [0, 1]. Layers: rescaling, conv1, pool1, conv2, ..., flatten, dense, probabilities.

    Raises:
        ConfigError: the image is so small that a feature map would vanish.

    Example:
        >>> build_model(TrainConfig(), (28, 28, 1), 10).count_params()
        93322
    """
    image = keras.Input(image_shape, dtype="uint8", name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    if config.arch == "dense":
        x = layers.Flatten(name="flatten")(x)
        x = _dense(512, "relu", "dense", config)(x)
        x = with_dropout(x, config)
    else:
        _check_room(config, image_shape)
        x = _convolutions(x, config)
        x = layers.Flatten(name="flatten")(x)
        x = with_dropout(x, config)
        x = _dense(64, "relu", "dense", config)(x)
    return keras.Model(image, classifier(x, classes, config), name=config.arch.replace("-", "_"))


def classifier(features: keras.KerasTensor, classes: int, config: TrainConfig) -> keras.KerasTensor:
    """Return the probabilities of `classes` classes, float32, from features, (batch, n)."""
    return _dense(classes, "softmax", "probabilities", config)(features)


def with_dropout(features: keras.KerasTensor, config: TrainConfig) -> keras.KerasTensor:
    """Return `features` with a share of them dropped while training; without dropout, the same tensor."""
    if not config.dropout:
        return features
    return layers.Dropout(config.dropout, seed=derived_seed(config.seed, "dropout"), name="dropout")(features)


def _convolutions(x: keras.KerasTensor, config: TrainConfig) -> keras.KerasTensor:
    """32 filters, then 64 each; after every convolution but the last, the map's sides are halved."""
    for number in range(1, config.depth + 1):
        last = number == config.depth
        x = layers.Conv2D(
            32 if number == 1 else 64,
            KERNEL,
            strides=2 if config.arch == "convnet-strided" and not last else 1,
            padding=config.padding,
            activation="relu",
            kernel_initializer=_glorot(config, f"conv{number}"),
            name=f"conv{number}",
        )(x)
        if config.arch in _POOLINGS and not last:
            x = _POOLINGS[config.arch](2, name=f"pool{number}")(x)
    return x


def _dense(units: int, activation: str, name: str, config: TrainConfig) -> layers.Dense:
    return layers.Dense(units, activation=activation, kernel_initializer=_glorot(config, name), name=name)


def _glorot(config: TrainConfig, layer: str) -> keras.initializers.Initializer:
    """Keras' default initializer, seeded by the run and the layer and not by the process."""
    return keras.initializers.GlorotUniform(seed=derived_seed(config.seed, layer))


def _check_room(config: TrainConfig, image_shape: tuple[int, int, int]) -> None:
    """Raise unless every feature map has at least one pixel."""
    side = shortest = min(image_shape[:2])
    for number in range(1, config.depth + 1):
        side -= KERNEL - 1 if config.padding == "valid" else 0
        if number < config.depth and config.arch == "convnet-strided":
            side = (side + 1) // 2
        elif number < config.depth and config.arch in _POOLINGS:
            side //= 2
        if side < 1:
            raise ConfigError(
                f"`depth` {config.depth} with padding {config.padding!r} requires larger images: the map vanishes at "
                f"convolution {number}. Received: a side of {shortest} pixels. "
                f"Lower `depth`{', use padding same' if config.padding == 'valid' else ''} or enlarge the images."
            )
