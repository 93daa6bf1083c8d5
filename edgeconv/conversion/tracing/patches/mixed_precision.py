"""A model of mixed precision is rebuilt in float32: it was trained with float32 weights, and rounds only on the way.

tf2onnx converts such a model into a graph full of Casts, and bfloat16 into operators that ONNX Runtime does not have.
In float32 the answers differ from the original's by what it rounds away: float16 keeps 11 bits (a relative 5e-4 a
layer), bfloat16 keeps 8 (4e-3).

Upstream: none; it is a choice. Goes when runtimes run bfloat16 and float16 graphs as they come.
"""

from __future__ import annotations

from typing import Any

from edgeconv.conversion.tracing.layer_calls import describe_layer, layer_paths
from edgeconv.errors import UnsupportedModelError, one_line

ROUNDING = {"float16": 2.0**-11, "bfloat16": 2.0**-8}
"""The largest relative error of rounding a number to a type."""


def rounding_of(model: Any) -> float:
    """Return the largest relative rounding error of the types that a model's layers compute in; 0 for float32."""
    return max(ROUNDING.get(str(layer.dtype_policy.compute_dtype), 0.0) for layer in layer_paths(model).values())


def in_float32(model: Any, *, safe_mode: bool = True) -> Any:
    """Return a model whose layers compute in float32, with the same weights; the same model if they do already.

    Args:
        model: a built Keras model.
        safe_mode: refuse code in the model's config, as `keras.models.load_model` does.

    Raises:
        UnsupportedModelError: a layer is quantized, or the model cannot be rebuilt from its config.
    """
    for layer in layer_paths(model).values():
        if getattr(layer.dtype_policy, "quantization_mode", None) is not None:
            raise UnsupportedModelError(
                f"{describe_layer(model, layer)} must have float weights. Received: the dtype policy "
                f"`{layer.dtype_policy.name}`. Export the model before `model.quantize`, and quantize the export."
            )
    if not rounding_of(model):
        return model
    import keras

    try:
        config = _float32(keras.saving.serialize_keras_object(model))
        rebuilt = keras.saving.deserialize_keras_object(config, safe_mode=safe_mode)
        if not rebuilt.built:
            rebuilt.build_from_config(model.get_build_config())
        for new, old in zip(rebuilt.variables, model.variables, strict=True):
            new.assign(old)
    except Exception as error:  # A config may make anything raise.
        raise UnsupportedModelError(
            f"a model of mixed precision must be rebuilt from its config in float32. Received: "
            f"{type(error).__name__}: {one_line(error)}. Save the model under the policy `float32`."
        ) from error
    return rebuilt


def _float32(config: Any) -> Any:
    """Return a config with float32 in place of half types and their policies."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            name = str(config["config"]["name"])
            return {**config, "config": {**config["config"], "name": "float32" if "float16" in name else name}}
        return {key: _half_as_float32(value) if "dtype" in key else _float32(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_float32(value) for value in config)
    return config


def _half_as_float32(value: Any) -> Any:
    return "float32" if isinstance(value, str) and "float16" in value else _float32(value)
