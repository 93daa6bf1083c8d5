"""Channels of very different ranges are evened out before fake quantization, and the float model stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import edgeconv
from edgeconv.training.equalizing import HEADROOM

pytestmark = pytest.mark.train

WILD = 2.0 ** -np.arange(0, 10, 2)
PICTURES = np.random.default_rng(0).uniform(0, 1, (40, 6, 6, 2)).astype("float32")


def _model(*parts: Any) -> keras.Model:
    return keras.Sequential([keras.Input((6, 6, 2)), *parts])


def _wild(model: keras.Model, norm: str, reader: str) -> keras.Model:
    """Scale the channels behind a normalization wildly, and back in the layer that reads them."""
    rng = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if layer.weights and not isinstance(layer, keras.Model):
            layer.set_weights([rng.uniform(0.2, 1.0, weight.shape) for weight in layer.get_weights()])
    found = {layer.name: layer for layer in model._flatten_layers()}
    gamma, beta, *rest = found[norm].get_weights()
    found[norm].set_weights([gamma * WILD, beta * WILD, *rest])
    kernel, *bias = found[reader].get_weights()
    tiled = np.tile(WILD, kernel.shape[-2] // len(WILD))
    found[reader].set_weights([kernel / tiled[:, None], *bias])
    return model


def _parts(*reader: Any, activation: Any) -> tuple[Any, ...]:
    convolution = layers.Conv2D(5, 3, use_bias=False, name="first")
    return convolution, layers.BatchNormalization(name="norm"), activation, *reader


CASES: dict[str, Callable[[], keras.Model]] = {
    "through a ReLU into a convolution": lambda: _model(
        *_parts(layers.MaxPooling2D(), layers.Conv2D(3, 1, name="last"), activation=layers.ReLU())
    ),
    "through a ReLU6 into a depthwise one": lambda: _model(
        *_parts(layers.DepthwiseConv2D(2, name="last"), activation=layers.ReLU(6.0))
    ),
    "through a Flatten": lambda: _model(
        *_parts(layers.Flatten(), layers.Dense(3, name="last"), activation=layers.ReLU())
    ),
    "inside a model in a model": lambda: _model(
        layers.Rescaling(2.0), _model(*_parts(layers.Conv2D(3, 1, name="last"), activation=layers.ReLU(6.0)))
    ),
}


def _weights(model: keras.Model, name: str) -> list[np.ndarray]:
    (found,) = [layer for layer in model._flatten_layers() if layer.name == name and hasattr(layer, "layer")]
    return found.layer.get_weights()


def _ranges(model: keras.Model) -> np.ndarray:
    """Return the largest weight of each channel, which what it makes grows with."""
    return np.abs(_weights(model, "first")[0]).max(axis=(0, 1, 2))


@pytest.mark.parametrize("case", CASES)
def test_wild_channels_get_a_like_range_and_answers_stay(case: str) -> None:
    model = _wild(CASES[case](), "norm", "last")
    expected = model.predict(PICTURES, verbose=0)
    made = edgeconv.fake_quantize(model, calibration=PICTURES)
    before, after = (_ranges(each) for each in (edgeconv.fake_quantize(model), made))
    assert np.ptp(np.log2(before)) > 7
    assert np.ptp(np.log2(after)) < 2
    # Kernels are rounded to 127 steps already, activations not yet.
    np.testing.assert_allclose(made.predict(PICTURES, verbose=0), expected, atol=0.02 * np.ptp(expected))
    np.testing.assert_array_equal(model.predict(PICTURES, verbose=0), expected)


def test_a_channel_comes_up_to_the_bound_and_stays_where_it_reaches_it() -> None:
    parts = (layers.Conv2D(3, 1, name="first"), layers.ReLU(6.0), layers.DepthwiseConv2D(1, name="last"))
    model = _model(*parts)
    kernel = np.zeros((1, 1, 2, 3), "float32")
    kernel[..., 0, :] = [0.01, 1.0, 50.0]
    model.get_layer("first").set_weights([kernel, np.zeros(3)])
    made = edgeconv.fake_quantize(model, calibration=PICTURES)
    scaled, bias = _weights(made, "first")
    most = PICTURES[..., 0].max()
    np.testing.assert_allclose(most * scaled[0, 0, 0, :2], HEADROOM * 6.0, rtol=1e-5)
    assert scaled[0, 0, 0, 2] == 50.0
    assert not bias.any()
    np.testing.assert_allclose(
        made.predict(PICTURES, verbose=0), model.predict(PICTURES, verbose=0), rtol=1e-2, atol=1e-6
    )


@pytest.mark.parametrize(
    "between", [layers.Activation("sigmoid"), layers.LayerNormalization(), layers.ReLU(threshold=0.1)]
)
def test_what_lets_no_factor_through_stays(between: Any) -> None:
    model = _model(layers.Conv2D(5, 3, name="first"), between, layers.Conv2D(3, 1, name="last"))
    made = edgeconv.fake_quantize(model, calibration=PICTURES)
    plain = edgeconv.fake_quantize(model)
    for now, then in zip(_weights(made, "last"), _weights(plain, "last"), strict=True):
        np.testing.assert_array_equal(now, then)
