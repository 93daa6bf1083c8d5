"""A trained model with a new head, so that it learns other classes."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import layers

from edgeconv.config import TrainConfig
from edgeconv.errors import ConfigError, one_line
from edgeconv.input_range import RAW, InputRange
from edgeconv.scaling_layers import scalings_of
from edgeconv.training.architectures import classifier, with_dropout
from edgeconv.training.loading import load_base


def adapt_model(config: TrainConfig, image_shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Cut a trained model before its last Dense layer and give it a new one.

    A model that takes uint8, or that scales raw pixels itself to what a network may be trained on, takes them raw. For
    any other one `config.input_range` says what its input expects, and the scaling is put in front.

    Args:
        config: `base` is the model's file; `freeze_base`, `input_range`, `dropout` and `seed` count too.
        image_shape: (height, width, channels) of the new images.
        classes: number of outputs of the new head.

    Returns:
        A model from `image`, uint8, (batch, height, width, channels), 0-255, to `probabilities`. Where the base is
        frozen its layers are not trainable, and batch normalization keeps the statistics that it has.

    Raises:
        ConfigError: the file is no such model, its images have another shape, or its input range is unknown.
    """
    path = Path(config.base or "")
    base = load_base(path)
    _check_shape(base, path, image_shape)
    image = keras.Input(image_shape, dtype="uint8", name="image")
    features = _features(base, path)
    for layer in features.layers:
        layer.trainable = not config.freeze_base
    pixels = _as_expected(image, base, path, config.input_range)
    try:
        x = features.call(pixels)
        x = with_dropout(_flat(x), config)
        return keras.Model(image, classifier(x, classes, config), name="finetuned")
    except (ValueError, TypeError) as error:  # What Keras raises where layers do not fit.
        raise ConfigError(
            f"`base` must accept images of shape {image_shape} and a new head. Received: {path}, which does not: "
            f"{one_line(error)}. Choose another model."
        ) from error


def _check_shape(base: keras.Model, path: Path, image_shape: tuple[int, int, int]) -> None:
    expected = tuple(base.inputs[0].shape[1:])
    fits = len(expected) == 3 and all(side in (None, ours) for side, ours in zip(expected, image_shape, strict=True))
    if not fits:
        raise ConfigError(
            f"`base` must take images of the dataset's shape {image_shape}. Received: {path}, which takes {expected}. "
            "Choose another model, or open the dataset with `--image-size`."
        )


def _features(base: keras.Model, path: Path) -> keras.Model:
    """Return what comes before the last Dense layer; a model without one is features from end to end."""
    last = base.layers[-1]
    if isinstance(last, layers.Softmax | layers.Activation) and isinstance(base.layers[-2], layers.Dense):
        last = base.layers[-2]
    if isinstance(last, keras.Model) and isinstance(last.layers[-1], layers.Dense | layers.Softmax):
        raise ConfigError(
            f"`base` must have its last Dense layer at the top level. Received: {path}, where it is inside "
            f"{last.name!r}. Save the model without that nesting."
        )
    return keras.Model(base.inputs[0], last.input if isinstance(last, layers.Dense) else base.outputs[0])


def _flat(features: keras.KerasTensor) -> keras.KerasTensor:
    """Return features of shape (batch, n): feature maps are averaged over their height and width."""
    if len(features.shape) == 4:
        return layers.GlobalAveragePooling2D(name="average")(features)
    if len(features.shape) != 2:
        raise ValueError(f"its features have the shape {tuple(features.shape)}")
    return features


def _as_expected(image: keras.KerasTensor, base: keras.Model, path: Path, input_range: str | None) -> keras.KerasTensor:
    """Return the raw pixels as `base` expects them."""
    takes = base.inputs[0].dtype
    stated = None if input_range is None else InputRange.parse(input_range)
    if "int" in takes:
        if stated not in (None, RAW):
            raise ConfigError(
                f"`input_range` must be left out for a base that takes whole numbers. Received: {input_range!r} for "
                f"{path}, which takes {takes}. Leave it out."
            )
        return image
    if stated is not None:
        if stated.channels not in (None, image.shape[-1]):
            raise ConfigError(
                f"`input_range` {input_range!r} is for pictures of {stated.channels} channels. Received: images of "
                f"{image.shape[-1]}. State it as LOW:HIGH."
            )
        scale, offset = (list(side) if stated.channels else side[0] for side in (stated.scale, stated.offset))
        scaled = layers.Rescaling(scale, offset=offset, name="input_range")(image)
        return scaled[..., ::-1] if stated.bgr else scaled
    found = scalings_of(base)
    if not all(scaling.layers and scaling.is_plausible for scaling in found):
        does = "; ".join(scaling.sentence for scaling in found if scaling.layers)
        raise ConfigError(
            f"`input_range` must be given for a base that does not scale raw pixels. Received: none for {path}, "
            f"which takes {takes}{', and whose ' * bool(does)}{does}. State what 0 and 255 became before it, LOW:HIGH."
        )
    return keras.ops.cast(image, takes)
