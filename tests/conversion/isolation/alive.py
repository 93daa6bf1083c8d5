"""Weights that make a model's answers prove something: fresh biases and statistics are 0 and 1."""

from __future__ import annotations

from typing import Any

import numpy as np


def alive(model: Any, seed: int = 0) -> Any:
    """Give every float weight of a Keras model a random value, and return the model."""
    generator = np.random.default_rng(seed)
    for variable in model.variables:
        if "float" in str(variable.dtype):
            noise = generator.normal(size=variable.shape, scale=0.3).astype(np.float32)
            variable.assign(np.abs(noise) + 0.5 if "variance" in variable.path else noise)
    return model
