from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from edgeconv.config import TrainConfig
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError
from edgeconv.training import train
from edgeconv.training.finetuning import adapt_model
from edgeconv.training.precision import with_precision
from tests.training.conftest import SMALL

pytestmark = pytest.mark.train

SHAPE = (16, 16, 1)


def body(*, first: list[layers.Layer], dtype: str = "float32", seed: int = 0) -> keras.Sequential:
    """A small base whose batch normalization has statistics of its own."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input(SHAPE, dtype=dtype),
            *first,
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(),
            layers.Dense(5, activation="softmax", name="probabilities"),
        ]
    )
    rng = np.random.default_rng(seed)
    model.get_layer("norm").set_weights([rng.uniform(0.5, 2, 4).astype("float32") for _ in range(4)])
    return model


def saved(model: keras.Model, folder: Path) -> TrainConfig:
    path = folder / "base.keras"
    model.save(path)
    return TrainConfig(base=str(path))


def features_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    return np.asarray(keras.Model(model.inputs[0], model.get_layer("probabilities").input)(images))


def images_u8() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (6, *SHAPE), dtype=np.uint8)


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_a_base_with_rescaling_keeps_its_features_and_takes_raw_pixels(tmp_path: Path, dtype: str) -> None:
    base = body(first=[layers.Rescaling(1 / 255)], dtype=dtype)
    model = adapt_model(saved(base, tmp_path), SHAPE, 3)
    assert (model.inputs[0].name, model.inputs[0].dtype, model.output_shape) == ("image", "uint8", (None, 3))
    expected = features_of(base, images_u8().astype(dtype))
    assert expected.std() > 0.1
    np.testing.assert_allclose(features_of(model, images_u8()), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("input_range", "low", "high"), [("0:1", 0, 1), ("-1:1", -1, 1), ("0:255", 0, 255)])
def test_a_base_of_unknown_scaling_gets_the_one_that_is_stated(
    tmp_path: Path, input_range: str, low: float, high: float
) -> None:
    base = body(first=[])
    model = adapt_model(replace(saved(base, tmp_path), input_range=input_range), SHAPE, 3)
    expected = features_of(base, (low + (high - low) * images_u8().astype("float32") / 255))
    np.testing.assert_allclose(features_of(model, images_u8()), expected, rtol=1e-4, atol=1e-5)


def test_a_base_that_scales_in_a_nested_model_takes_raw_pixels(tmp_path: Path) -> None:
    base = body(first=[layers.Dropout(0.1), keras.Sequential([layers.Rescaling(1 / 255)])])
    model = adapt_model(saved(base, tmp_path), SHAPE, 3)
    expected = features_of(base, images_u8().astype("float32"))
    np.testing.assert_allclose(features_of(model, images_u8()), expected, rtol=1e-5, atol=1e-6)


def test_a_base_whose_scaling_is_for_other_numbers_is_asked_for_them(tmp_path: Path) -> None:
    base = body(first=[layers.Rescaling(2.0, offset=-1.0)])
    with pytest.raises(ConfigError, match=r"whose `rescaling\w*` makes 0\.\.255 into -1\.\.509\. State what 0 and 255"):
        adapt_model(saved(base, tmp_path), SHAPE, 3)
    model = adapt_model(replace(saved(base, tmp_path), input_range="0:1"), SHAPE, 3)
    expected = features_of(base, images_u8().astype("float32") / 255)
    np.testing.assert_allclose(features_of(model, images_u8()), expected, rtol=1e-4, atol=1e-5)


def test_unknown_scaling_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`input_range` must be given.*takes float32. State what"):
        adapt_model(saved(body(first=[]), tmp_path), SHAPE, 3)


def test_a_scaling_for_whole_numbers_is_refused(tmp_path: Path) -> None:
    config = saved(body(first=[layers.Rescaling(1 / 255)], dtype="uint8"), tmp_path)
    with pytest.raises(ConfigError, match=r"`input_range` must be left out.*Received: '-1:1'.*takes uint8"):
        adapt_model(replace(config, input_range="-1:1"), SHAPE, 3)


def test_other_images_are_refused_with_both_shapes(tmp_path: Path) -> None:
    config = saved(body(first=[layers.Rescaling(1 / 255)]), tmp_path)
    with pytest.raises(ConfigError, match=r"shape \(28, 28, 3\)\. Received: .*base\.keras, which takes \(16, 16, 1\)"):
        adapt_model(config, (28, 28, 3), 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "which is none"),
        (b"no zip", "must be a sound .keras file"),
        (b"PK\3\4 cut", "must be a sound .keras file"),
    ],
)
def test_a_file_that_is_no_model_is_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "base.keras"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        adapt_model(TrainConfig(base=str(path)), SHAPE, 3)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_one_line(tmp_path: Path) -> None:
    config = saved(body(first=[]), tmp_path)
    path = Path(config.base or "")
    path.write_bytes(path.read_bytes()[:-700])
    with pytest.raises(ConfigError, match=r"must be a sound .keras file\. Received: .*base\.keras: \S") as caught:
        adapt_model(config, SHAPE, 3)
    assert "\n" not in str(caught.value)


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    ends = [keras.Input(SHAPE), keras.Input(SHAPE)]
    config = saved(keras.Model(ends, layers.Flatten()(layers.Add()(ends))), tmp_path)
    with pytest.raises(ConfigError, match=r"one input and one output.*Functional with 2 and 1"):
        adapt_model(config, SHAPE, 3)


@pytest.mark.parametrize("end", ["logits", "features", "maps"])
def test_the_cut_is_found_whatever_the_end(tmp_path: Path, end: str) -> None:
    image = keras.Input(SHAPE)
    maps = layers.Conv2D(4, 3, name="maps")(layers.Rescaling(1 / 255)(image))
    features = layers.GlobalAveragePooling2D()(maps)
    logits = layers.Softmax()(layers.Dense(7, name="logits")(features))
    base = keras.Model(image, {"logits": logits, "features": features, "maps": maps}[end])
    model = adapt_model(saved(base, tmp_path), SHAPE, 3)
    assert model.count_params() == 40 + 4 * 3 + 3
    assert not any(layer.name == "logits" for layer in model.layers)


def test_a_head_inside_another_model_is_refused(tmp_path: Path) -> None:
    head = keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")], name="top")
    config = saved(keras.Sequential([keras.Input(SHAPE), layers.Rescaling(1 / 255), head]), tmp_path)
    with pytest.raises(ConfigError, match="inside 'top'"):
        adapt_model(config, SHAPE, 3)


def test_a_base_for_any_size_takes_the_size_of_the_data(tmp_path: Path) -> None:
    image = keras.Input((None, None, 1))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(image)))
    model = adapt_model(saved(keras.Model(image, layers.Dense(2)(x)), tmp_path), SHAPE, 3)
    assert model.input_shape == (None, *SHAPE)


@pytest.mark.parametrize("freeze", [True, False])
def test_freezing_trains_the_head_only(tmp_path: Path, bars: Dataset, freeze: bool) -> None:
    """Takes seconds: it trains."""
    base = body(first=[layers.Rescaling(1 / 255)])
    config = replace(SMALL, base=saved(base, tmp_path).base, freeze_base=freeze, epochs=1)
    result = train(bars, config=config, out=tmp_path / "out")
    tuned = keras.models.load_model(result.path)
    same = [
        np.array_equal(before, after)
        for name in ("conv", "norm")
        for before, after in zip(base.get_layer(name).get_weights(), tuned.get_layer(name).get_weights(), strict=True)
    ]
    assert all(same) if freeze else not any(same)
    assert result.record["base"]["file"] == "base.keras"
    assert tuned.output_shape == (None, 3)


def test_what_was_frozen_once_learns_again(tmp_path: Path) -> None:
    base = body(first=[layers.Rescaling(1 / 255)])
    base.trainable = False
    model = adapt_model(saved(base, tmp_path), SHAPE, 3)
    assert len(model.trainable_weights) == 6


def test_precision_changes_and_comes_back_with_the_same_weights() -> None:
    model = body(first=[layers.Rescaling(1 / 255)], dtype="uint8")
    half = with_precision(model, "mixed_float16")
    assert half.get_layer("conv").compute_dtype == "float16"
    assert half.get_layer("probabilities").compute_dtype == "float32"
    back = with_precision(half, "float32")
    assert {layer.compute_dtype for layer in back.layers if layer.weights} == {"float32"}
    np.testing.assert_array_equal(model(images_u8()), back(images_u8()))
    assert keras.config.dtype_policy().name == "float32"
