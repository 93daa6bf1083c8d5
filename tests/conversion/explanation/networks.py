"""A network with all that makes layers hard to find again, and ways to break its file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the conversion room needs the extra `train`")
keras = pytest.importorskip("keras", reason="needs the extra `train`")
from edgeconv.conversion.explanation.divergence import first_divergence  # noqa: E402
from edgeconv.conversion.keras import KerasReference, load_keras  # noqa: E402

layers = keras.layers


TOLERANCE = 1e-3


def enliven(model: Any) -> None:
    generator = np.random.default_rng(1)
    for variable in model.weights:
        noise = generator.normal(size=variable.shape) * 0.1
        positive = variable.path.endswith("variance")
        variable.assign(generator.uniform(0.5, 2.0, variable.shape) if positive else variable.numpy() + noise)


def network() -> Any:
    """Two branches, one of them a nested model that is called twice, and all that is folded away."""
    inner = keras.Sequential(
        [
            layers.Input((14, 14, 8)),
            layers.Conv2D(8, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.LeakyReLU(0.3, name="leaky"),
        ],
        name="inner",
    )
    x = entry = layers.Input((28, 28, 1), name="picture")
    x = layers.Rescaling(1 / 255, name="scaling")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    side = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Add(name="join")([inner(inner(x)), side])
    x = layers.Dropout(0.3, name="dropout")(x)
    x = layers.LayerNormalization(name="layer_norm")(x)
    x = layers.Conv2D(12, 3, activation="relu", name="wide")(x)
    x = layers.Permute((2, 1, 3), name="turned")(x)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(20, activation="elu", name="hidden")(x)
    model = keras.Model(entry, layers.Dense(10, activation="softmax", name="head")(x), name="network")
    enliven(model)
    return model


def loaded(model: Any, folder: Path, **options: Any) -> KerasReference:
    model.save(folder / "model.keras")
    return load_keras(folder / "model.keras", **options)


def node_named(model: Any, name: str) -> Any:
    return next(node for node in model.graph.node if node.name == name)


def break_constant(model: Any, name: str) -> Any:
    """Return a copy with the elements of a constant changed."""
    broken = copy.deepcopy(model)
    tensor = next(tensor for tensor in broken.graph.initializer if tensor.name == name)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array += np.random.default_rng(10).normal(size=array.shape).astype(array.dtype)
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, name))
    return broken


def divergent(reference: KerasReference, feeds: dict[str, np.ndarray], model: Any) -> str | None:
    found = first_divergence(reference, feeds, model, tolerance=TOLERANCE)
    return found and found.layer
