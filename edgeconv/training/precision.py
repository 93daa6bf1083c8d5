"""A model's arithmetic, changed without changing its weights.

Training on a GPU computes in float16 and keeps float32 weights; what is saved computes in float32, since a graph of
mixed precision converts into a graph full of casts.
"""

from __future__ import annotations

from typing import Any

import keras

PROBABILITIES = "probabilities"
"""The last layer, which computes in float32 always: a softmax in float16 loses small probabilities."""


def with_precision(model: keras.Model, policy: str) -> keras.Model:
    """Return a copy of `model` whose layers follow another dtype policy, with the same weights.

    Args:
        model: with one input and one output; it is left as it is.
        policy: ``"float32"`` or ``"mixed_float16"``.

    Returns:
        A functional model, uncompiled, whose layers belong to it alone.
    """

    def copy(layer: Any) -> Any:
        config = layer.get_config()
        if "dtype" in config:
            config["dtype"] = "float32" if layer.name == PROBABILITIES else policy
        return layer.__class__.from_config(config)

    twin = keras.models.clone_model(model, clone_function=copy, recursive=True)
    twin.set_weights(model.get_weights())
    # A copy of a compiled model is compiled, and would be saved with its optimizer whatever the arguments of `save`.
    return keras.Model(twin.inputs[0], twin.outputs[0], name=model.name)
