"""What a model of Keras 2 makes of a pixel and of an index is read from its layers, whichever Keras runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
keras2 = pytest.importorskip("tf_keras", reason="Keras 2 writes its files where the extra `legacy` is installed")

from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402
from edgeconv.conversion.keras.ranges import smallest_table  # noqa: E402

layers, applications = keras2.layers, keras2.applications


def opened(model: Any, folder: Path) -> KerasReference:
    model.save(folder / "m.h5")
    return load_keras(folder / "m.h5")


def classifier(scale: Callable[[Any], Any], layer: Any) -> Any:
    x = keras2.Input((12, 12, 3))
    return keras2.Model(x, layers.Dense(3, activation="softmax")(layers.Flatten()(layer(scale(x)))))


def inside(x: Any) -> Any:
    inner = keras2.Sequential([layers.InputLayer((12, 12, 3)), layers.RandomFlip(), layers.Rescaling(1 / 255)])
    return inner(x)


def adapted(x: Any) -> Any:
    layer = layers.Normalization()
    layer.adapt(np.array([0.0, 255.0], np.float32).reshape(2, 1, 1, 1) * np.ones((12, 12, 3), np.float32))
    return layer(x)


@pytest.mark.parametrize(
    ("scale", "says"),
    [
        (layers.Rescaling(1 / 127.5, offset=-1), "0..255 into -1..1"),
        (inside, "0..255 into 0..1"),
        (adapted, "0..255 into -1..1"),
        (applications.mobilenet_v2.preprocess_input, "0..255 into -1..1"),
        (applications.vgg16.preprocess_input, "0..255 into -123.7..151.1"),
        (applications.densenet.preprocess_input, "0..255 into -2.118..2.64"),
        (lambda x: 1.0 - x / 255.0, "0..255 into 1..0"),
    ],
    ids=["layer", "nested", "adapted", "tf", "caffe", "torch", "inverted"],
)
@pytest.mark.parametrize("kind", ["Conv2D", "LocallyConnected2D"])
def test_scaling_is_seen_in_either_keras(scale: Callable[[Any], Any], says: str, kind: str, tmp_path: Path) -> None:
    """Keras 3 lacks a LocallyConnected2D, so Keras 2 runs that model, behind one layer of Keras 3."""
    reference = opened(classifier(scale, getattr(layers, kind)(2, 3)), tmp_path)
    assert (type(reference.model.layers[-1]).__name__ == "Keras2Model") == (kind == "LocallyConnected2D")
    assert reference.eats_pixels
    assert says in reference.pixels.sentence


def test_a_table_in_a_model_of_keras_2_bounds_the_indices_that_are_tried(tmp_path: Path) -> None:
    x = keras2.Input((5,), dtype="int32")
    local = layers.LocallyConnected1D(2, 2)(layers.Embedding(3, 4)(x))
    assert smallest_table(opened(keras2.Model(x, local), tmp_path).model) == 3


def test_a_random_crop_resizes_as_keras_2_does_at_inference(tmp_path: Path) -> None:
    first = [layers.InputLayer((20, 20, 3)), layers.RandomCrop(16, 12), layers.Rescaling(1 / 255)]
    model = keras2.Sequential([*first, layers.Flatten(), layers.Dense(3, activation="softmax")])
    reference = opened(model, tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 20, 3)).astype(np.uint8)
    (answers,) = reference.run({"image": images}).values()
    np.testing.assert_allclose(answers, model(images.astype(np.float32), training=False), atol=1e-6)
    assert {node.domain for node in reference.to_onnx().graph.node} == {""}
