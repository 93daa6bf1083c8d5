"""Files that Keras 2 writes, opened: each holds the answers of Keras 2, which a translation could silently change."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras2 = pytest.importorskip("tf_keras", reason="Keras 2 writes its files where the extra `legacy` is installed")

import tensorflow as tf  # noqa: E402

from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from edgeconv.conversion.keras.legacy import opening  # noqa: E402
from edgeconv.errors import UnsupportedModelError  # noqa: E402
from tests.conversion.keras.legacy.networks import NETWORKS, enlivened  # noqa: E402

layers = keras2.layers

OWN = "tf_keras.src.applications"


def opened(model: Any, folder: Path, suffix: str = ".h5") -> KerasReference:
    path = folder / f"model{suffix}"
    model.save(path)
    return load_keras(path)


def is_of_keras3(reference: KerasReference) -> bool:
    return not any(hasattr(layer, "foreign_parameters") for layer in reference.model.layers)


def assert_same_answers(model: Any, reference: KerasReference) -> None:
    """Both answer alike to the same input, and the answers differ among themselves."""
    scales = any(type(layer).__name__ == "Rescaling" for layer in model.layers)
    shape, high = (3, *model.input_shape[1:]), 255 if scales else 1
    x = np.random.default_rng(3).uniform(0, high, shape).astype(np.float32)
    wanted = np.asarray(model(x, training=False))
    assert np.ptp(wanted) > 1e-3
    (answer,) = reference.run({reference.inputs[0].name: x}).values()
    np.testing.assert_allclose(answer, wanted, atol=1e-5 * np.ptp(wanted))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_networks_that_people_have_open_in_keras_3(build: Callable[[], Any], suffix: str, tmp_path: Path) -> None:
    model = enlivened(build())
    reference = opened(model, tmp_path, suffix)
    assert is_of_keras3(reference)
    assert_same_answers(model, reference)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_the_hard_sigmoid_of_keras_2_is_kept(suffix: str, tmp_path: Path) -> None:
    x = keras2.Input((5, 3))
    y = layers.Dense(4, activation="hard_sigmoid")(layers.LSTM(6, recurrent_activation="hard_sigmoid")(4.0 * x))
    model = enlivened(keras2.Model(x, y))
    assert_same_answers(model, opened(model, tmp_path, suffix))


def test_frozen_layers_in_a_nested_model_keep_their_weights(tmp_path: Path) -> None:
    """A `.h5` file has the trainable weights first: by the order of the layers, they would take each other's."""
    x = keras2.Input((4,))
    inner = keras2.Model(x, layers.Dense(4)(layers.Dense(4, trainable=False)(x)))
    model = enlivened(keras2.Sequential([inner, layers.Dense(2)]))
    reference = opened(model, tmp_path)
    assert is_of_keras3(reference)
    assert_same_answers(model, reference)


def test_a_network_deeper_than_pythons_limit_of_nested_calls_opens(tmp_path: Path) -> None:
    """The limit is lowered, so that few layers are too many for it, as those of ResNetRS270 are for the usual one."""
    x = image = keras2.Input((3,))
    for _ in range(300):
        x = layers.Activation("relu")(x)
    model = enlivened(keras2.Model(image, layers.Dense(2)(x)))
    model.save(tmp_path / "model.h5")
    usual, depth = sys.getrecursionlimit(), len(inspect.stack())
    sys.setrecursionlimit(depth + 250)
    try:
        reference = load_keras(tmp_path / "model.h5")
        assert sys.getrecursionlimit() == depth + 250
    finally:
        sys.setrecursionlimit(usual)
    assert is_of_keras3(reference)
    assert_same_answers(model, reference)


def test_weights_go_by_the_names_of_layers(tmp_path: Path) -> None:
    x = keras2.Input((4,))
    model = enlivened(keras2.Model(x, layers.Dense(4, name="second")(layers.Dense(4, name="first")(x))))
    model.save(tmp_path / "model.h5")
    _edit(tmp_path / "model.h5", lambda config: config["config"]["layers"].reverse())
    assert_same_answers(model, load_keras(tmp_path / "model.h5"))


def test_the_layout_of_keras_2_2_is_read(tmp_path: Path) -> None:
    """A Sequential's config was the list of its layers, without a name; the first layer said the shape."""
    model = enlivened(keras2.Sequential([layers.Dense(4, input_shape=(3,), activation="relu"), layers.Dense(2)]))
    model.save(tmp_path / "model.h5")

    def age(config: dict[str, Any]) -> None:
        config["config"] = config["config"]["layers"][1:]
        config["config"][0]["config"]["batch_input_shape"] = [None, 3]

    _edit(tmp_path / "model.h5", age, version="2.2.0")
    reference = load_keras(tmp_path / "model.h5")
    assert is_of_keras3(reference)
    assert_same_answers(model, reference)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_what_keras_3_lacks_is_run_by_keras_2_and_converts(suffix: str, tmp_path: Path) -> None:
    x = keras2.Input((8, 8, 2), name="x/y")
    y = layers.Flatten(name="flat")(layers.LocallyConnected2D(3, 3)(x))
    model = enlivened(keras2.Model(x, y))
    reference = opened(model, tmp_path, suffix)
    assert not is_of_keras3(reference)
    assert reference.parameters == model.count_params()
    assert_same_answers(model, reference)
    assert {node.domain for node in reference.to_onnx().graph.node} == {""}


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize("kind", ["Conv2D", "LocallyConnected2D"])
def test_layers_of_applications_own_are_known(kind: str, suffix: str, tmp_path: Path) -> None:
    """ConvNeXt and InceptionResNetV2 define layers for themselves, which Keras has under no public name."""
    convnext, inception = import_module(f"{OWN}.convnext"), import_module(f"{OWN}.inception_resnet_v2")
    x = keras2.Input((8, 8, 3))
    y = getattr(layers, kind)(4, 3)(x)
    scaled = convnext.LayerScale(0.5, 4, name="net_block_0_layer_scale")(layers.Conv2D(4, 1)(y))
    y = layers.Add()([y, convnext.StochasticDepth(0.3, name="net_block_0_stochastic_depth")(scaled)])
    y = inception.CustomScaleLayer(0.2, name="custom_scale_layer_1")([y, layers.Conv2D(4, 1)(y)])
    model = enlivened(keras2.Model(x, y))
    reference = opened(model, tmp_path, suffix)
    assert is_of_keras3(reference) == (kind == "Conv2D")
    assert_same_answers(model, reference)


def test_a_layer_of_the_users_is_not_taken_for_one_of_applications(tmp_path: Path) -> None:
    class LayerScale(layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        def call(self, x: Any) -> Any:
            return x * 2.0

    keras2.Sequential([layers.InputLayer((4,)), LayerScale(name="mine")]).save(tmp_path / "m.h5")
    with pytest.raises(UnsupportedModelError, match="the layer `mine` needs the class `LayerScale`"):
        load_keras(tmp_path / "m.h5")


@pytest.mark.parametrize(("layer", "shape"), [("Conv2D", (3, 8, 6)), ("Conv3D", (3, 5, 6, 6))])
def test_a_bias_of_channels_first_stays_on_its_axis(layer: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    """With as many filters as the last axis is long, Keras 3 adds the bias along that."""
    convolution = getattr(layers, layer)(4, 3, data_format="channels_first")
    model = enlivened(keras2.Sequential([layers.InputLayer(shape), convolution]))
    assert_same_answers(model, opened(model, tmp_path))


def test_without_keras_2_it_is_said_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = keras2.Input((8, 8, 2))
    keras2.Model(x, layers.LocallyConnected2D(3, 3, name="local")(x)).save(tmp_path / "m.h5")
    monkeypatch.setattr(opening, "is_installed", lambda: False)
    line = r"has the class `LocallyConnected2D`\. Install Keras 2 beside it: `pip install 'edgeconv\[legacy\]'`"
    with pytest.raises(UnsupportedModelError, match=line) as caught:
        load_keras(tmp_path / "m.h5")
    assert "\n" not in str(caught.value)


def test_a_lambda_needs_trust_and_then_answers_as_in_keras_2(tmp_path: Path) -> None:
    x = keras2.Input((4,))
    model = enlivened(keras2.Model(x, layers.Lambda(lambda t: t * 3.0, name="mine")(layers.Dense(3)(x))))
    model.save(tmp_path / "m.h5")
    with pytest.raises(UnsupportedModelError, match="the layer `mine` is a Lambda"):
        load_keras(tmp_path / "m.h5")
    assert_same_answers(model, load_keras(tmp_path / "m.h5", unsafe=True))


def _edit(path: Path, change: Callable[[dict[str, Any]], None], version: str = "2.4.0") -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change(config)
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version


def test_tensorflow_stays_as_it_was() -> None:
    """Keras 2 lies beside Keras 3: `tf.keras` is still Keras 3's."""
    import keras

    assert tf.keras.layers.Dense is keras.layers.Dense
