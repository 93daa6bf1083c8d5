"""Fake quantization by TensorFlow Model Optimization, as that of edgeconv: with the ranges of its training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgeconv.fake_quantization import fake_quantization_layers, rebuilt

POSITIVE = {"relu", "relu6", "sigmoid", "softmax"}
"""Activations that give nothing below 0."""

RANGES = ("output", "post_activation", "quantize_layer")
"""What a wrapper calls the range of what its layer gives. What goes into a softmax, `pre_activation`, is measured."""


def with_fake_quantization(path: Path, model: Any, wrapped: Mapping[str, bool]) -> Any:
    """Return a model whose layers round as their wrappers did.

    Kernels have a scale for each output channel; the wrappers have one for all channels of a Dense or depthwise layer.
    The mean of a range moves from -6 to 6 on, and the part of it below a ReLU, where int8 stops, is left out.

    Args:
        path: of the `.h5` file, which has the ranges among its weights.
        model: the layers alone, of Keras 3, with the names of their wrappers.
        wrapped: these names, and whether the layer's weights are rounded.
    """
    import keras

    own, ranges = fake_quantization_layers(keras), _ranges(path, wrapped)

    def call(node: Any, *args: Any, **options: Any) -> Any:
        layer = node.operation
        name = layer.name
        if wrapped.get(name) and hasattr(layer, "kernel"):
            layer = own.weights(layer, name=name)
        made = layer(*args, **options)
        if name not in ranges:
            return made
        low, high = ranges[name]
        fixed = (0.0 if _is_never_negative(node.operation) else low, high)
        return own.range(fixed=fixed, name=f"{name}_range")(made)

    return rebuilt(keras, model._functional if isinstance(model, keras.Sequential) else model, call)


def _is_never_negative(layer: Any) -> bool:
    import keras

    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope
    return getattr(getattr(layer, "activation", None), "__name__", "") in POSITIVE


def _ranges(path: Path, wrapped: Mapping[str, bool]) -> dict[str, tuple[float, float]]:
    """Return the lowest and highest value of what each wrapped layer gives, of those that have one."""
    import h5py

    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        found = {
            name: (float(group[f"{kind}_min:0"][()]), float(group[f"{kind}_max:0"][()]))
            for name in wrapped
            for kind in RANGES
            if (group := root.get(f"{name}/{name}")) is not None and f"{kind}_min:0" in group
        }
    return {name: (low, high) for name, (low, high) in found.items() if math.isfinite(high - low)}
