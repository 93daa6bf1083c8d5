from __future__ import annotations

import keras
import numpy as np
import pytest

from edgeconv.config import ARCHITECTURES, TrainConfig
from edgeconv.errors import ConfigError
from edgeconv.training.architectures import build_model

pytestmark = pytest.mark.train


def digits_model(**options: object) -> keras.Model:
    return build_model(TrainConfig(**options), (28, 28, 1), 10)  # type: ignore[arg-type]


def base_shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    return {layer.name: layer.output.shape[1:] for layer in model.layers if layer.name.startswith(("conv", "pool"))}


def base_parameters(model: keras.Model) -> int:
    return sum(layer.count_params() for layer in model.layers if layer.name.startswith("conv"))


def test_convnet_is_the_books() -> None:
    model = digits_model()
    assert model.count_params() == 93_322
    assert base_parameters(model) == 55_744
    assert base_shapes(model) == {
        "conv1": (26, 26, 32),
        "pool1": (13, 13, 32),
        "conv2": (11, 11, 64),
        "pool2": (5, 5, 64),
        "conv3": (3, 3, 64),
    }
    assert [layer.name for layer in model.layers if not layer.name.startswith(("conv", "pool"))] == [
        "image",
        "rescaling",
        "flatten",
        "dense",
        "probabilities",
    ]


def test_convnet_without_pooling_has_a_large_last_map() -> None:
    model = digits_model(arch="convnet-nopool")
    assert base_parameters(model) == 55_744
    assert base_shapes(model)["conv3"] == (22, 22, 64)
    assert int(np.prod(base_shapes(model)["conv3"])) == 30_976
    assert model.count_params() == 55_744 + (30_976 * 64 + 64) + 650


@pytest.mark.parametrize("arch", ["convnet", "convnet-nopool", "convnet-strided", "convnet-avgpool"])
def test_base_of_two_convolutions_has_18816_parameters(arch: str) -> None:
    assert base_parameters(digits_model(arch=arch, depth=2)) == 18_816


def test_average_pooling_changes_no_count() -> None:
    model = digits_model(arch="convnet-avgpool")
    assert model.count_params() == 93_322
    assert isinstance(model.get_layer("pool1"), keras.layers.AveragePooling2D)


def test_strides_stand_in_for_the_pools() -> None:
    """A stride rounds the map up where a pool rounds it down: 13, 6, 4 and not 13, 11, 5, 3; the base is the same."""
    model = digits_model(arch="convnet-strided")
    assert base_parameters(model) == 55_744
    assert base_shapes(model) == {"conv1": (13, 13, 32), "conv2": (6, 6, 64), "conv3": (4, 4, 64)}
    assert model.count_params() == 121_994


def test_strides_and_pools_have_equal_counts_with_padding_same() -> None:
    counts = {digits_model(arch=arch, padding="same").count_params() for arch in ("convnet", "convnet-strided")}
    assert counts == {55_744 + (7 * 7 * 64 * 64 + 64) + 650}


def test_dense_network() -> None:
    model = digits_model(arch="dense")
    assert model.get_layer("dense").count_params() == 401_920
    assert model.count_params() == 401_920 + 5_130


def test_padding_same_keeps_the_sides() -> None:
    assert base_shapes(digits_model(padding="same"))["conv3"] == (7, 7, 64)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_architecture_turns_raw_pixels_into_probabilities(arch: str) -> None:
    model = build_model(TrainConfig(arch=arch, padding="same"), (20, 24, 3), 4)
    assert (model.inputs[0].name, model.inputs[0].dtype) == ("image", "uint8")
    images = np.random.default_rng(0).integers(0, 256, (5, 20, 24, 3), dtype=np.uint8)
    probabilities = np.asarray(model(images))
    assert probabilities.shape == (5, 4)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_pixels_are_scaled_to_one_inside_the_model() -> None:
    model = digits_model()
    scaled = keras.Model(model.inputs[0], model.get_layer("rescaling").output)
    assert float(keras.ops.max(scaled(np.full((1, 28, 28, 1), 255, np.uint8)))) == pytest.approx(1)


def test_dropout_is_before_the_classifier_and_does_nothing_at_inference() -> None:
    plain, dropping = digits_model(), digits_model(dropout=0.5)
    names = [layer.name for layer in dropping.layers]
    assert names[names.index("flatten") + 1] == "dropout"
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), dtype=np.uint8)
    np.testing.assert_array_equal(plain(images), dropping(images))
    assert np.abs(np.asarray(dropping(images, training=True)) - np.asarray(dropping(images))).max() > 0


def test_the_seed_alone_decides_the_first_weights() -> None:
    keras.utils.set_random_seed(7)
    first = digits_model(seed=3).get_weights()
    keras.utils.set_random_seed(8)
    again, other = digits_model(seed=3).get_weights(), digits_model(seed=4).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(
    ("options", "side", "advice"),
    [
        ({}, 17, "use padding same"),
        ({"arch": "convnet-nopool", "depth": 4}, 8, "Lower `depth`"),
        ({"arch": "convnet-strided"}, 14, "Lower `depth`"),
        ({"padding": "same", "depth": 5}, 15, "enlarge the images"),
    ],
)
def test_a_map_that_would_vanish_is_an_error_with_a_way_out(options: dict[str, object], side: int, advice: str) -> None:
    config = TrainConfig(**options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=rf"vanishes at convolution \d\. Received: a side of {side} pixels.*{advice}"):
        build_model(config, (side, 28, 1), 10)
    assert build_model(config, (side + 1, 28, 1), 10).built
