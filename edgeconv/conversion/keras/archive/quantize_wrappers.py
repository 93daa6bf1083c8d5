"""The wrappers of TensorFlow Model Optimization's `quantize_model`, taken out of the config of a `.h5` file.

It puts a `QuantizeWrapperV2` around each layer, which rounds the layer's weights and what the layer gives, and a
`QuantizeLayer` behind each input. What they round to is among the weights of the file; see `legacy.quantize_wrappers`.
Wrappers of another scheme than its 8 bits stay, and are refused as what nobody knows.
"""

from __future__ import annotations

import json
import re
from typing import Any

WRAPPERS = {"QuantizeWrapper", "QuantizeWrapperV2"}
OF_INPUT = "QuantizeLayer"

SCHEME = re.compile(r"(Default8Bit\w*|NoOp)QuantizeConfig")
"""Full match: how a wrapper of the 8-bit scheme rounds. `NoOp` is for a layer that is one with the next."""

Config = dict[str, Any]


def without_wrappers(text: str | bytes) -> tuple[str | bytes, dict[str, bool]]:
    """Return the config of the model inside, and the layers that were wrapped; a config of any other as it is.

    Args:
        text: JSON, of any kind; it may be damaged.

    Returns:
        The config, JSON, in which each layer has the name of its wrapper; and by these names whether the layer's
        weights are rounded.
    """
    if OF_INPUT not in (text if isinstance(text, str) else text.decode("utf-8", "replace")):
        return text, {}
    try:
        config = json.loads(text)
        layers = config["config"]["layers"]
        plain = [_plain(layer) for layer in layers]
        wrapped = {
            layer["config"]["name"]: _rounds_weights(layer)
            for layer, made in zip(layers, plain, strict=True)
            if made is not layer
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return text, {}  # Whoever checks it finds what is wrong.
    config["config"]["layers"] = plain
    return json.dumps(config), wrapped


def _plain(layer: Config) -> Config:
    kind, options = _name(layer), layer["config"]
    if kind == OF_INPUT and _is_plain_quantizer(options["quantizer"]["config"]):
        given = {"name": options["name"], "activation": "linear"}
        return {**layer, "class_name": "Activation", "config": given}
    if kind not in WRAPPERS or not SCHEME.fullmatch(_name(options["quantize_config"])):
        return layer
    inner = options["layer"]
    own = {**inner["config"], "name": options["name"]}
    if isinstance(own.get("activation"), dict):
        own["activation"] = _activation(own["activation"])
    return {**layer, "class_name": inner["class_name"], "config": own}


def _is_plain_quantizer(quantizer: Config) -> bool:
    return quantizer["num_bits"] == 8 and not quantizer["per_axis"] and not quantizer["symmetric"]


def _activation(value: Config) -> Any:
    """Return an activation that rounds what it gives, without that; none at all gives its input."""
    inner = value["config"]["activation"] if _name(value) == "QuantizeAwareActivation" else value
    return "linear" if isinstance(inner, dict) and _name(inner) == "NoOpActivation" else inner


def _rounds_weights(layer: Config) -> bool:
    config = layer["config"].get("quantize_config", {}).get("config") or {}
    return bool(config.get("weight_attrs"))


def _name(value: Config) -> str:
    return str(value["class_name"]).rpartition(">")[2]
