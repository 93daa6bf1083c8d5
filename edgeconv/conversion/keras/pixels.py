"""What the model makes of a pixel: whether it scales raw ones itself, or expects them scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeconv.config import INPUT_RANGES
from edgeconv.errors import ConfigError

SCALING_LAYERS = {"Rescaling", "Normalization"}


def pixel_scaling(path: Path, model: Any, input_range: str | None) -> tuple[float | None, float]:
    """Return the scale and offset that turn a raw pixel into what the model eats; the scale is None if unknown.

    Args:
        path: what the errors call the model.
        model: a Keras model with one image input.
        input_range: a key of `INPUT_RANGES`, or None.

    Raises:
        ConfigError: `input_range` is given for a model that scales pixels itself.
    """
    first = next((layer for layer in model.layers if type(layer).__name__ != "InputLayer"), None)
    scales_itself = model.inputs[0].dtype == "uint8" or type(first).__name__ in SCALING_LAYERS
    if scales_itself and input_range is not None:
        raise ConfigError(
            f"`input_range` is for a model that expects scaled floats. Received: {input_range!r} for `{path}`, which "
            "scales raw pixels itself. Leave it out."
        )
    if scales_itself:
        return 1.0, 0.0
    if input_range is None:
        return None, 0.0
    low, high = INPUT_RANGES[input_range]
    return (high - low) / 255.0, low
