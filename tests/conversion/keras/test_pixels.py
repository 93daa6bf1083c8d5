"""Which layers scale a model's input, and whether raw pixels are believed. Loads Keras, which takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras = pytest.importorskip("keras", reason="needs the extra `train`")
tf = pytest.importorskip("tensorflow", reason="needs the extra `train`")

from edgeconv.conversion.keras import load_keras  # noqa: E402
from edgeconv.conversion.keras.pixels import Pixels, pixels_of  # noqa: E402
from edgeconv.conversion.keras.ports import Port  # noqa: E402
from edgeconv.errors import ConfigError  # noqa: E402
from edgeconv.input_range import MODES, RAW  # noqa: E402

layers = keras.layers
SHAPE = (32, 32, 3)


def network(*first: Any, shape: tuple[int, ...] = SHAPE, dtype: str = "float32") -> Any:
    return keras.Sequential([layers.Input(shape, dtype=dtype), *first, layers.Conv2D(2, 3), layers.Flatten()])


def behind(make: Callable[[Any], Any]) -> Any:
    image = keras.Input(SHAPE)
    return keras.Model(image, layers.Conv2D(2, 3)(make(image)))


def adapted(values: np.ndarray) -> Any:
    layer = layers.Normalization(name="normalization")
    layer.adapt(values.astype(np.float32))
    return layer


def noise(low: float, high: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(low, high, (50, *SHAPE))


def scale() -> Any:
    return layers.Rescaling(1 / 255, name="rescaling")


def seen(model: Any, input_range: str | None = None) -> Pixels:
    (port,) = (Port.of("image", tensor) for tensor in model.inputs)
    return pixels_of(Path("m.keras"), model, input_range, port)


@pytest.mark.parametrize(
    "first",
    [
        [layers.RandomFlip(), layers.RandomRotation(0.1), layers.RandomZoom(0.1)],
        [layers.GaussianNoise(0.1), layers.Dropout(0.1)],
        [layers.Resizing(40, 40)],
        [layers.ZeroPadding2D(2), layers.Cropping2D(1)],
        [layers.AveragePooling2D(2), layers.MaxPooling2D(3, padding="same")],
        [layers.Reshape((3, 32, 32)), layers.Permute((2, 3, 1))],
        [],
    ],
    ids=["augmentation", "noise", "resizing", "padding", "pooling", "reshape", "nothing"],
)
def test_a_scaling_layer_is_found_behind_what_moves_pixels(first: list[Any]) -> None:
    pixels = seen(network(*first, scale()))
    assert pixels.range == RAW
    assert pixels.sentence == "Input: `rescaling` makes 0..255 into 0..1."


def test_layers_are_asked_on_sizes_that_shrinking_leaves_something_of() -> None:
    """Of nothing, TensorFlow's average is a division by 0, which ends the process."""
    asked: list[Any] = []

    class Halved(layers.Layer):  # type: ignore[name-defined, misc]
        def call(self, x: Any) -> Any:
            asked.append(tuple(x.shape))
            return keras.ops.average_pool(x, 2)

    image = keras.Input((None, None, 3))
    model = keras.Model(image, layers.Conv2D(2, 3)(scale()(Halved()(image))))
    assert seen(model).sentence == "Input: `rescaling` makes 0..255 into 0..1."
    assert asked[-1] == (3, 32, 32, 3)


def test_a_scaling_layer_is_found_in_nested_models() -> None:
    inner = keras.Sequential([layers.RandomFlip(), keras.Sequential([scale()])])
    assert seen(network(inner)).sentence == "Input: `rescaling` makes 0..255 into 0..1."
    assert seen(behind(keras.Sequential([layers.RandomFlip(), scale()]))).range == RAW


def test_a_base_of_keras_applications_brings_its_own() -> None:
    base = keras.applications.MobileNetV3Small(weights=None, include_top=False, input_shape=SHAPE)
    image = keras.Input(SHAPE)
    model = keras.Model(image, layers.Flatten()(base(layers.RandomFlip()(image))))
    pixels = seen(model)
    assert pixels.range == RAW
    assert pixels.sentence.endswith("0..255 into -1..1.")


@pytest.mark.parametrize(
    ("library", "made"), [("mobilenet_v2", "-1..1"), ("densenet", "-2.118..2.64"), ("resnet", "-123.7..151.1")]
)
def test_preprocess_input_inside_a_model_is_arithmetic_on_pixels(library: str, made: str) -> None:
    pixels = seen(behind(getattr(keras.applications, library).preprocess_input))
    assert pixels.range == RAW
    assert pixels.sentence.endswith(f"0..255 into {made}.")


@pytest.mark.parametrize(
    ("first", "made"),
    [
        (layers.Rescaling(2.0, offset=-1.0, name="rescaling"), "-1..509"),
        (adapted(noise(0, 1)), "-1.7"),
        (adapted(np.random.default_rng(0).normal(5, 3, (50, *SHAPE))), "-1.6"),
        (layers.Rescaling(1 / 65535, name="rescaling"), "0..0.003891"),
        (layers.Rescaling(1.0, name="rescaling"), "0..255"),
    ],
    ids=["made for 0..1", "adapted on 0..1", "adapted on a signal", "made for 16 bits", "identity"],
)
def test_raw_pixels_are_not_believed_where_they_come_out_implausible(first: Any, made: str) -> None:
    pixels = seen(network(first))
    assert pixels.range is None
    assert f"0..255 into {made}" in pixels.sentence
    assert "keeps the model's float input" in pixels.sentence
    # No range is suggested where a layer says that the usual ones are wrong.
    assert pixels.advice.endswith("`--input-range LOW:HIGH`.")


def test_normalization_adapted_on_pixels_is_believed() -> None:
    assert seen(network(adapted(noise(0, 255)))).range == RAW


def test_a_branch_that_reads_the_pixels_unscaled_is_not_overlooked() -> None:
    model = behind(lambda image: layers.Concatenate()([scale()(image), layers.Conv2D(3, 1)(image)]))
    assert seen(model).range is None


@pytest.mark.parametrize(
    ("first", "made"),
    [
        (lambda x: scale()(layers.ReLU()(x)), "0..1"),
        (lambda x: keras.ops.clip(x, 0.0, 255.0) / 127.5 - 1.0, "-1..1"),
        (lambda x: scale()(layers.AutoContrast()(x)), "0..1"),
        (lambda x: layers.Pipeline([layers.RandomFlip(), scale()])(x), "0..1"),
        (
            lambda x: layers.Pipeline([layers.RandomFlip()])(layers.Pipeline([layers.CenterCrop(8, 8), scale()])(x)),
            "0..1",
        ),
        (lambda x: 1.0 - x / 255.0, "1..0"),
        (lambda x: layers.Lambda(lambda y: y / 127.5 - 1.0)(x), "-1..1"),
        (lambda x: layers.Normalization(mean=[0.5] * 3, variance=[0.25] * 3)(layers.Rescaling(1 / 255)(x)), "-1..1"),
        (lambda x: layers.Resizing(8, 8)(layers.CenterCrop(16, 16)(scale()(x))), "0..1"),
    ],
    ids=["relu", "clip", "contrast", "pipeline", "pipelines", "negative", "lambda", "two layers", "crop and resize"],
)
def test_what_has_no_weights_is_asked_what_it_makes_of_even_pictures(first: Callable[[Any], Any], made: str) -> None:
    pixels = seen(behind(first))
    assert pixels.range == RAW
    assert pixels.sentence.endswith(f"0..255 into {made}.")


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (lambda x: scale()(layers.Conv2D(3, 1, name="mix")(x)), "mix"),
        (lambda x: scale()(layers.BatchNormalization(name="statistics")(x)), "statistics"),
        (lambda x: layers.LayerNormalization(center=False, scale=False, name="even")(x), "even"),
        (lambda x: scale()(layers.Softmax(name="shares")(x)), "shares"),
        (lambda x: layers.Lambda(lambda y: keras.ops.log1p(y), name="logs")(x), "logs"),
        (lambda x: layers.Pipeline([layers.RandomFlip(), layers.Conv2D(3, 1)], name="mixed")(x), "mixed"),
    ],
    ids=["convolution", "batch norm", "layer norm", "softmax", "logarithm", "pipeline"],
)
def test_the_first_layer_that_computes_is_named(first: Callable[[Any], Any], name: str) -> None:
    pixels = seen(behind(first))
    assert pixels.range is None
    assert pixels.unknown == f"no layer that scales pixels before `{name}`, and no stated range"


def test_channels_first_are_followed_as_well() -> None:
    image = keras.Input((3, 32, 32))
    normalized = layers.Normalization(axis=1, mean=[120.0, 110.0, 100.0], variance=[3600.0] * 3)(image)
    port = Port("image", "float32", (32, 32, 3))
    pixels = pixels_of(Path("m.keras"), keras.Model(image, layers.Flatten()(normalized)), None, port)
    assert pixels.range == RAW
    assert (
        pixels_of(Path("m.keras"), keras.Model(image, layers.Flatten()(image)), "torch", port).range == MODES["torch"]
    )


class OfCode(keras.Model):  # type: ignore[misc]  # Keras ships no types.
    """A subclassed classifier, which has no symbolic inputs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.scale, self.mean, self.scores = scale(), layers.GlobalAveragePooling2D(), layers.Dense(3)

    def call(self, images: Any) -> Any:
        return self.scores(self.mean(self.scale(images)))


def test_a_subclassed_classifier_of_pictures_is_read_by_its_layers(tmp_path: Path) -> None:
    model = OfCode()
    model(np.zeros((1, *SHAPE), np.float32))
    model.save(tmp_path / "m.keras")
    reference = load_keras(tmp_path / "m.keras", custom_objects=(f"{__name__}:OfCode",), task="classes")
    assert (reference.pixels.range, reference.inputs[0].dtype) == (RAW, "uint8")


class Scaling(keras.Model):  # type: ignore[misc]
    """A subclassed model whose attributes tell less than its call."""

    def __init__(self, before: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.scale, self.scores, self.before = scale(), layers.Conv2D(3, 3), before

    def call(self, images: Any) -> Any:
        return self.scores(self.before(self, images))


@pytest.mark.parametrize(
    ("before", "raw"),
    [
        (lambda model, images: model.scale(images), True),
        (lambda _, images: images / 255.0, True),
        (lambda _, images: images, False),  # The layer that scales is never called.
        (lambda _, images: tf.identity(images), False),  # No symbolic tensor passes: nobody can tell.
    ],
)
def test_what_a_subclassed_model_calls_counts_and_not_what_it_holds(
    before: Callable[[Any, Any], Any], raw: bool
) -> None:
    model = Scaling(before)
    model(np.zeros((1, *SHAPE), np.float32))
    found = pixels_of(Path("m.keras"), model, None, Port("input", "float32", SHAPE))
    assert (found.range == RAW, bool(found.layers)) == (raw, raw)


def test_what_is_stated_always_counts() -> None:
    pixels = seen(network(layers.Rescaling(2.0, offset=-1.0, name="rescaling")), "0:1")
    assert pixels.range is not None
    assert pixels.sentence == "Input: 0..255 becomes 0..1, as stated; `rescaling` makes 0..1 into -1..1."
    assert seen(network(scale()), "caffe").range == MODES["caffe"]
    signal = layers.Normalization(mean=[5.0] * 3, variance=[9.0] * 3, name="normalization")
    assert seen(network(signal)).range is None
    stated = seen(network(signal), "-4:14")
    assert stated.sentence == "Input: 0..255 becomes -4..14, as stated; `normalization` makes -4..14 into -3..3."


def test_a_range_is_suggested_where_none_was_found() -> None:
    pixels = seen(network())
    assert pixels.range is None
    assert "such as 0:1 for `x / 255`" in pixels.sentence


def test_a_range_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"is for a model that takes floats\. Received: '0:1'.*takes uint8"):
        seen(network(scale(), dtype="uint8"), "0:1")
    with pytest.raises(ConfigError, match=r"'torch' is for pictures of 3 channels.*\(batch, 32, 32, 1\).*as LOW:HIGH"):
        seen(network(shape=(32, 32, 1)), "torch")
