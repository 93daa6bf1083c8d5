"""The options of a layer of Keras 2, as the same layer of Keras 3 has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgeconv.conversion.keras.archive.keras2_names import LACKED
from edgeconv.conversion.keras.legacy.untranslatable import Untranslatable

Config = dict[str, Any]

OF_TRAINING = ("_initializer", "_regularizer", "_constraint")
"""Ends of keys that say how weights begin and how they are trained: the file has the weights."""

WITHOUT_EFFECT = {
    "adjustment",
    "batch_input_shape",
    "batch_size",
    "dynamic",
    "experimental_autocast",
    "fused",
    "implementation",
    "input_dtype",
    "input_length",
    "input_shape",
    "noise_shape",
    "optional",
    "renorm_clipping",
    "renorm_momentum",
    "rng_type",
    "synchronized",
}
"""Keys that change no answer at inference."""

NEUTRAL: Config = {
    "causal": False,
    "ragged": False,
    "renorm": False,
    "time_major": False,
    "virtual_batch_size": None,
    "zero_output_for_mask": False,
}
"""Keys that Keras 3 does not know, and that change no answer while they have this value."""

UNGROUPED = {
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    *(f"Conv{rank}DTranspose" for rank in (1, 2, 3)),
}
"""Convolutions of which Keras 2 writes `groups`, always 1."""

OTHERWISE = {"Lambda", "RandomCrop"}
"""Layers that Keras 3 has and cannot take over: it reads code in another form, and crops nothing at inference."""

HARD_SIGMOID = "keras2_hard_sigmoid"
"""Keras 3 has another function of the name `hard_sigmoid`, of a lesser slope; see `layers`."""


def options_of(kind: str, config: Config) -> tuple[str, Config]:
    """Return a layer's class and its options in Keras 3.

    Args:
        kind: its class in Keras 2.
        config: its options there; layers in it are translated already.

    Raises:
        Untranslatable: Keras 3 has no such layer, or no such option.

    Example:
        >>> options_of("ThresholdedReLU", {"name": "block/relu", "theta": 0.5})
        ('ReLU', {'name': 'block_relu', 'threshold': 0.5})
        >>> options_of("BatchNormalization", {"name": "norm", "axis": [3], "fused": True})
        ('BatchNormalization', {'name': 'norm', 'axis': 3})
    """
    name = str(config.get("name", ""))
    if kind in OTHERWISE or (kind in LACKED and kind not in ADAPTED):
        raise Untranslatable(name, f"the class `{kind}`")
    if "Conv" in kind and config.get("data_format") == "channels_first" and config.get("use_bias", True):
        # `keras.ops.add` takes the bias for one of the last axis where that is as long: Keras 3.15.1, on TensorFlow.
        raise Untranslatable(name, "channels first and a bias, which Keras 3 may add along another axis")
    kept: Config = {}
    for key, value in config.items():
        if key.endswith(OF_TRAINING) or key in WITHOUT_EFFECT or (key == "groups" and kind in UNGROUPED and value == 1):
            continue
        if key not in NEUTRAL:
            kept[key] = _value(key, value)
        elif value != NEUTRAL[key]:
            raise Untranslatable(name, f"the option `{key}={value}`")
    if name:
        kept["name"] = plain_name(name)
    return ADAPTED[kind](config, kept) if kind in ADAPTED else (kind, kept)


def plain_name(name: str) -> str:
    """Return a layer's name as Keras 3 allows it."""
    return name.replace("/", "_")


def _value(key: str, value: Any) -> Any:
    if key.endswith("activation") and _function_name(value) == "hard_sigmoid":
        return HARD_SIGMOID
    if key == "dtype" and isinstance(value, dict):
        return value["config"]["name"]
    return value


def _function_name(value: Any) -> Any:
    return value.get("config") if isinstance(value, dict) and value.get("class_name") == "function" else value


def _input(config: Config, kept: Config) -> tuple[str, Config]:
    return "InputLayer", {**kept, "batch_shape": config.get("batch_input_shape") or config.get("batch_shape")}


def _batch_normalization(config: Config, kept: Config) -> tuple[str, Config]:
    axis = config.get("axis", -1)
    if isinstance(axis, list):
        if len(axis) != 1:
            raise Untranslatable(config["name"], f"the option `axis={axis}`")
        axis = axis[0]
    return "BatchNormalization", {**kept, "axis": axis}


def _thresholded_relu(config: Config, kept: Config) -> tuple[str, Config]:
    kept = {key: value for key, value in kept.items() if key != "theta"}
    return "ReLU", {**kept, "threshold": config["theta"]}


def _gru(_: Config, kept: Config) -> tuple[str, Config]:
    """Before `reset_after` could be chosen, it was False; Keras 3's default is True."""
    return "GRU", {"reset_after": False, **kept}


ADAPTED: dict[str, Callable[[Config, Config], tuple[str, Config]]] = {
    "BatchNormalization": _batch_normalization,
    "GRU": _gru,
    "InputLayer": _input,
    "SyncBatchNormalization": _batch_normalization,
    "ThresholdedReLU": _thresholded_relu,
}
"""Layers that need more than other keys, each with the function from both configs to the class and its options."""
