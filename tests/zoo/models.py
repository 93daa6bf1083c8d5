"""Makes one model of the zoo whose every part matters to its answer, and what its exports are judged by.

    python -m tests.zoo.models NAME FOLDER

writes `NAME.keras`, `reference.npz` (`image` and Keras' `expected`) and
`calibration.npz` (`image`) into FOLDER.

Fresh weights prove little: biases and batch-norm means are 0, variances and gammas 1, ConvNeXt's branches are scaled by
1e-6. Here all of them are random. Batch-norm statistics are those of a random batch, off by a random amount, since
statistics that have nothing to do with the activations make a network of 500 layers overflow or go silent.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.zoo.catalogue import constructors, module_of

SEED = 4
IMAGES = 2
CALIBRATION_IMAGES = 8
DYNAMIC_SIDE = 224
CLASSES = 10
"""Of the head of a part."""
STATISTICS_PIXELS = 24 * 64 * 64
"""Pixels of the batch that gives the batch-norm statistics: with few, a channel's variance is an accident."""
LOGITS = 1.5
"""Standard deviation of the logits: with 10 the softmax says 1 and 0 whatever an export does to it."""
MIN_SPREAD = 1e-6
"""Least standard deviation of a reference's outputs: a softmax over 1000 classes has 1e-3 on average."""
MIN_SHARE = 1e-3
"""Least difference between the answers to two images, in units of that deviation."""
MAX_PROBABILITY = 0.9


def build(name: str, side: int | None = None, last: str | None = None, seed: int = SEED) -> Any:
    """Return a model with random parameters, alive down to its outputs.

    Args:
        name: of the constructor, such as ``"ResNet50"``.
        side: pixels a side; None for the constructor's own.
        last: layer after which a head of few classes stands in the place of the rest; None for the whole model.
        seed: of all weights.
    """
    import keras

    keras.utils.set_random_seed(seed)
    size = {} if side is None else {"input_shape": (side, side, 3)}
    model = constructors()[name](weights=None, **size)
    if last is not None:
        pooled = keras.layers.GlobalAveragePooling2D()(model.get_layer(last).output)
        model = keras.Model(model.input, keras.layers.Dense(CLASSES, "softmax")(pooled), name=name)
    generator = np.random.default_rng(seed)
    plain = not {"BatchNormalization", "LayerNormalization"} & {type(layer).__name__ for layer in _layers(model)}
    for layer in _layers(model):
        _randomise(layer, generator, plain=plain)
    height, width, _ = _image_shape(model)
    images = images_for(name, model, max(4, STATISTICS_PIXELS // (height * width)), seed)
    measure_statistics(model, images, generator)
    settle_logits(model, images[:4])
    return model


def images_for(name: str, model: Any, count: int, seed: int) -> NDArray[np.float32]:
    """Return random pictures as the family's own `preprocess_input` leaves whole pixels, (count, height, width, 3)."""
    pixels = random_pictures(count, _image_shape(model), np.random.default_rng(seed))
    return np.asarray(module_of(constructors()[name]).preprocess_input(pixels), np.float32)


def random_pictures(count: int, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.float32]:
    """Return pictures of whole pixels, (count, height, width, channels), 0-255.

    Each is a coarse pattern of its own in colour and contrast, with noise: pictures of noise alone all look the same
    to a network that averages over them.
    """
    height, width, channels = shape
    coarse = generator.uniform(0, 255, (count, 8, 8, channels))
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    patterns = coarse[:, rows][:, :, columns]
    noisy = patterns + generator.normal(0, 20, patterns.shape)
    contrast = generator.uniform(-60, 60, (count, 1, 1, channels))
    return np.clip(noisy + contrast, 0, 255).round().astype(np.float32)


def answers(model: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a model's answers, (n, classes), and make sure that they can tell a right export from a wrong one."""
    expected: NDArray[np.float32] = np.concatenate([model(image[None], training=False).numpy() for image in images])
    must_be_alive(model.name, expected)
    if float(expected.max()) > MAX_PROBABILITY:
        raise RuntimeError(f"The outputs of {model.name} must not saturate. Received: {expected.max()}.")
    return expected


def must_be_alive(name: str, expected: NDArray[np.float32]) -> None:
    """Make sure that a model's answers to two images, (2, classes), are not the same whatever the image is."""
    spread = float(expected.std())
    if not np.isfinite(expected).all() or not spread > MIN_SPREAD:
        raise RuntimeError(f"The outputs of {name} must be alive. Received: a standard deviation of {spread}.")
    share = float(np.abs(expected[0] - expected[1]).max()) / spread
    if not share > MIN_SHARE:
        raise RuntimeError(f"The outputs of {name} must depend on the image. Received: {share} of their spread.")


def _image_shape(model: Any) -> tuple[int, ...]:
    """Return (height, width, channels), with a size in place of the dynamic ones that MobileNetV3 has by default."""
    return tuple(DYNAMIC_SIDE if axis is None else axis for axis in model.inputs[0].shape[1:])


def _layers(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if not list(layer._flatten_layers(include_self=False))]


def _randomise(layer: Any, generator: np.random.Generator, *, plain: bool) -> None:
    """Give a layer's vectors random values; `plain` for a network that nothing normalises."""
    kind = type(layer).__name__
    if kind == "Normalization":
        if layer.input_mean is None:
            layer.adapt_mean.assign(generator.uniform(0.4, 0.5, layer.adapt_mean.shape))
            layer.adapt_variance.assign(generator.uniform(0.04, 0.08, layer.adapt_variance.shape))
            layer.finalize_state()
        return
    for weight in layer.trainable_weights:
        if weight.name == "gamma":
            low, high = (0.3, 0.6) if kind == "LayerScale" else (0.8, 1.2)
            weight.assign(generator.uniform(low, high, weight.shape))
        elif weight.name in ("beta", "bias"):
            weight.assign(generator.normal(0, 0.1, weight.shape))
        elif plain and weight.name == "kernel":
            weight.assign(weight * np.float32(np.sqrt(2)))  # What He et al. 2015 give a layer before a ReLU.


def measure_statistics(model: Any, images: NDArray[np.float32], generator: np.random.Generator) -> None:
    """Give the batch norms of a model, of Keras 3 or 2, the statistics of a batch of images, off by a random amount."""
    layers = [layer for layer in _layers(model) if type(layer).__name__ == "BatchNormalization"]
    if not layers:
        return
    dropouts = [layer for layer in _layers(model) if hasattr(layer, "rate")]
    kept = [layer.momentum for layer in layers], [layer.rate for layer in dropouts]
    for layer in layers:
        layer.momentum = 0.0
    for layer in dropouts:
        layer.rate = 0.0
    model(images, training=True)
    for layer, momentum in zip(layers, kept[0], strict=True):
        layer.momentum = momentum
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        deviation = np.sqrt(variance + 0.1 * variance.mean() + layer.epsilon)
        layer.moving_mean.assign(mean + deviation * generator.normal(0, 0.1, mean.shape))
        layer.moving_variance.assign(deviation**2 * generator.uniform(0.8, 1.25, mean.shape))
    for layer, rate in zip(dropouts, kept[1], strict=True):
        layer.rate = rate


def settle_logits(model: Any, images: NDArray[np.float32]) -> None:
    """Scale the last kernel of a classifier, of Keras 3 or 2, until its softmax is sure of nothing."""
    head = [layer for layer in _layers(model) if hasattr(layer, "kernel")][-1]
    linear = model.layers[-1] is head and head.activation.__name__ == "linear"
    for _ in range(3):  # Probabilities that underflow hide how large the logits are: the first guess is too small.
        given = model(images, training=False).numpy()
        logits = given if linear else np.log(np.maximum(given, 1e-30))
        head.kernel.assign(head.kernel * (LOGITS / logits.std(axis=-1).mean()))


def write(name: str, folder: Path, side: int | None = None, last: str | None = None) -> Path:
    """Write a model, its reference and its calibration images into a folder, and return the `.keras` file."""
    path = folder / f"{name}.keras"
    model = build(name, side, last)
    model.save(path)
    images = images_for(name, model, IMAGES, SEED + 1)
    np.savez(folder / "reference.npz", image=images, expected=answers(model, images))
    np.savez(folder / "calibration.npz", image=images_for(name, model, CALIBRATION_IMAGES, SEED + 2))
    return path


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    write(sys.argv[1], Path(sys.argv[2]))
