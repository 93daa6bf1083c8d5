"""A model that rounds as its int8 file will: which tensors, to which steps, and what the gradient sees of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import edgeconv
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError
from edgeconv.fake_quantization import fake_quantization_layers, representable
from edgeconv.training import train
from edgeconv.training.devices import Placement
from edgeconv.training.loading import load_base
from tests.training.conftest import SMALL

pytestmark = pytest.mark.train

FakeQuantize = fake_quantization_layers(keras).range


def alive(model: keras.Model) -> keras.Model:
    """Give every weight, statistics included, a value of its own."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.2, 1.5, weight.shape) for weight in model.get_weights()])
    return model


def ranged(model: keras.Model) -> list[str]:
    return [layer.name for layer in edgeconv.fake_quantize(model).layers if isinstance(layer, FakeQuantize)]


@pytest.mark.parametrize("convolution", [layers.Conv2D, layers.DepthwiseConv2D])
@pytest.mark.parametrize("bias", [True, False])
def test_batch_normalization_is_folded_into_the_layer_before_it(convolution: Any, bias: bool) -> None:
    filters = {"filters": 4} if convolution is layers.Conv2D else {"depth_multiplier": 2}
    image = keras.Input((6, 6, 2))
    body = layers.BatchNormalization()(convolution(**filters, kernel_size=3, use_bias=bias, name="conv")(image))
    model = alive(keras.Model(image, body))
    before = model.get_weights()
    made = edgeconv.fake_quantize(model)
    assert not [layer for layer in made.layers if isinstance(layer, layers.BatchNormalization)]
    picture = np.random.default_rng(1).uniform(0, 1, (3, 6, 6, 2)).astype("float32")
    expected, spread = np.asarray(model(picture)), float(np.ptp(model(picture)))
    # Half a step of a weight, 1/254 of the largest, in each of the 9 or 18 products.
    np.testing.assert_allclose(np.asarray(made(picture)), expected, atol=0.02 * spread)
    made.get_layer("conv").layer.set_weights([0 * weight for weight in made.get_layer("conv").layer.get_weights()])
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_kernels_lie_on_the_steps_of_each_output_channel() -> None:
    model = alive(keras.Sequential([keras.Input((3,)), layers.Dense(4, use_bias=False, name="dense")]))
    kernel = model.get_weights()[0]
    scale = np.abs(kernel).max(axis=0) / 127
    rounded = np.asarray(edgeconv.fake_quantize(model)(np.eye(3, dtype="float32")))
    np.testing.assert_allclose(rounded, np.rint(kernel / scale) * scale, rtol=1e-6)
    assert not np.allclose(rounded, kernel, rtol=1e-6)


def test_a_range_follows_the_training_and_rounds_to_its_steps() -> None:
    layer = FakeQuantize()
    first = np.array([[-1.0, 0.3, 3.0]], "float32")
    np.testing.assert_array_equal(layer(first), first)  # Nothing is known yet.
    layer(first, training=True)
    layer(3 * first, training=True)
    assert [float(layer.low), float(layer.high)] == pytest.approx([-1.02, 3.06])
    low, high = representable(-1.02, 3.06)
    scale = (high - low) / 255
    np.testing.assert_allclose(layer(5 * first), [[low, np.rint(1.5 / scale) * scale, high]], rtol=1e-5)


def test_gradients_pass_inside_the_range_alone() -> None:
    import tensorflow as tf

    layer = FakeQuantize((-1.0, 1.0))
    values = tf.constant([-2.0, -0.5, 0.1, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        answer = tf.reduce_sum(layer(values))
    np.testing.assert_array_equal(tape.gradient(answer, values), [0.0, 1.0, 1.0, 0.0])


def of(*parts: Any, scaled: bool = True) -> keras.Model:
    image = x = keras.Input((8, 8, 2), name="image")
    x = layers.Rescaling(1 / 255, name="scaled")(x) if scaled else x
    for part in parts:
        x = part(x)
    return keras.Model(image, x)


def _conv(name: str = "conv", **options: Any) -> layers.Layer:
    return layers.Conv2D(2, 3, padding="same", name=name, **options)


def _shortcut(x: Any) -> Any:
    return layers.ReLU(name="relu")(layers.Add(name="add")([x, _conv()(x)]))


CASES: dict[str, tuple[Callable[[], keras.Model], list[str]]] = {
    "the scaled pixels, and what a layer makes": (lambda: of(_conv()), ["scaled_range", "conv_range"]),
    "an input of floats": (lambda: of(_conv(), scaled=False), ["image_range", "conv_range"]),
    "behind a ReLU in place of before it": (
        lambda: of(_conv(), layers.BatchNormalization(), layers.ReLU(6.0, name="relu")),
        ["scaled_range", "relu_range"],
    ),
    "both inputs of a sum": (lambda: of(_shortcut), ["scaled_range", "conv_range", "relu_range"]),
    "before and behind another activation": (
        lambda: of(_conv(activation="hard_sigmoid")),
        ["scaled_range", "conv_range", "conv_hard_sigmoid_range"],
    ),
    "not what only moves": (
        lambda: of(_conv(activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.5), layers.Flatten()),
        ["scaled_range", "conv_range"],
    ),
    "the mean of a window on the steps before it": (
        lambda: of(_conv(activation="relu"), layers.AveragePooling2D(2)),
        ["scaled_range", "conv_range"],
    ),
    "not the softmax at the end, nor before it": (
        lambda: of(layers.GlobalAveragePooling2D(name="gap"), layers.Dense(3, name="dense"), layers.Softmax()),
        ["scaled_range", "gap_range"],
    ),
    "inside a model in a model": (
        lambda: of(keras.Sequential([keras.Input((8, 8, 2)), _conv(activation="relu")], name="inner"), _conv("last")),
        ["scaled_range", "last_range"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tensors_are_rounded_where_the_file_rounds_them(case: str) -> None:
    build, expected = CASES[case]
    assert ranged(build()) == expected


def test_the_range_of_pixels_is_known() -> None:
    made = edgeconv.fake_quantize(of(_conv()))
    assert made.get_layer("scaled_range").fixed == pytest.approx((0.0, 1.0))


def test_training_can_be_aware_of_int8(bars: Dataset, tmp_path: Path) -> None:
    """Takes seconds: it trains. What another GPU would compute in float16 stays in float32."""
    config = replace(SMALL, qat=True, epochs=1)
    path = train(bars, config=config, out=tmp_path).path
    made = keras.models.load_model(path)
    ranges = [layer for layer in made.layers if isinstance(layer, FakeQuantize)]
    assert [layer.name for layer in ranges] == ["rescaling_range", "conv1_range", "conv2_range", "dense_range"]
    assert all(float(layer.high) > 0 for layer in ranges)
    assert Placement("gpu", ("GPU:0",), half=False).precision == "float32"
    with pytest.raises(
        ConfigError, match=r"which was trained to be int8\. Give the model that it was made from, and `--qat`"
    ):
        load_base(path)


class Code(keras.Model):  # type: ignore[misc]  # Keras ships no types.
    """A model whose layers only its code knows."""


def _half() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="mixed_float16")])


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (Code, "functional model. Received: Code, whose layers only its code knows"),
        (lambda: edgeconv.fake_quantize(of(_conv())), "Received: the layer `scaled_range`, quantized already"),
        (_half, "Received: the layer `dense.*`, not in float32"),
    ],
)
def test_other_models_are_refused(build: Callable[[], keras.Model], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        edgeconv.fake_quantize(build())
