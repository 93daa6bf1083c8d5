"""The config of a model of Keras 2, translated into that of the same model of Keras 3. Plain dicts; nothing is made."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edgeconv.conversion.keras.archive.keras2_names import FUNCTION_LAYERS, OF_APPLICATIONS
from edgeconv.conversion.keras.legacy.nodes import Connections
from edgeconv.conversion.keras.legacy.options import Config, options_of, plain_name
from edgeconv.conversion.keras.legacy.untranslatable import Untranslatable

FUNCTION_LAYER = "TensorFlowFunction"
"""The layer that stands for a function of TensorFlow; see `layers`."""

NAMED_BY_CLASS = {"Functional", "Model"}
"""What Keras 2 calls a functional model."""


def translate(config: Config, custom_objects: Collection[str] = (), *, place: int = 0) -> Config:
    """Return the config of the same model for Keras 3, in the format of its `.keras` files.

    Args:
        config: as Keras 2 wrote it, JSON, of any of its formats.
        custom_objects: names of the user's classes, whose config is left as it is.
        place: among the layers of its model, which tells models without a name apart.

    Raises:
        Untranslatable: names the layer that Keras 3 has no equal of.
    """
    kind, inner = str(config["class_name"]), config["config"]
    own_name = kind.rpartition(">")[2]
    if own_name in custom_objects:
        return _serialized(own_name, inner, None, registered_name=config.get("registered_name") or kind)
    if kind == "Sequential":
        return _serialized(kind, {"name": _name(config, place), "layers": _stack(inner, custom_objects)}, "keras")
    if kind in NAMED_BY_CLASS and "input_layers" in inner:
        return _serialized("Functional", _functional(inner, custom_objects), "keras.src.models.functional")
    inner = {key: _inside(value, custom_objects) for key, value in inner.items()}
    if own_name in OF_APPLICATIONS:
        return _serialized(*options_of(own_name, inner), None, registered_name=own_name)
    return _serialized(*options_of(kind, inner), "keras.layers")


def _inside(value: Any, custom_objects: Collection[str]) -> Any:
    """Return an option of a layer, with the layers in it translated, such as what a TimeDistributed wraps."""
    if isinstance(value, list):
        return [_inside(part, custom_objects) for part in value]
    is_layer = isinstance(value, dict) and "class_name" in value and "name" in (value.get("config") or ())
    if is_layer and not value["class_name"].endswith(("Policy", "PolicyV1")):
        return translate(value, custom_objects)
    return value


def _serialized(kind: str, config: Config, module: str | None, registered_name: str | None = None) -> Config:
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered_name}


def _name(config: Config, place: int) -> str:
    """Return the name of a Sequential, which only its model's config may say, or nothing, as before Keras 2.2.3."""
    inner = config["config"]
    named = inner.get("name") if isinstance(inner, dict) else None
    return plain_name(named or config.get("name") or f"sequential_{place}")


def _stack(config: Config | list[Config], custom_objects: Collection[str]) -> list[Config]:
    """Return the layers of a Sequential, its input in front; before Keras 2.2.3 its config was the list of layers."""
    options: Config = {"layers": config} if isinstance(config, list) else config
    layers = options["layers"]
    translated = [translate(layer, custom_objects, place=place) for place, layer in enumerate(layers)]
    if not layers or layers[0]["class_name"] == "InputLayer":
        return translated
    first = layers[0]["config"] if isinstance(layers[0]["config"], dict) else {}
    shape = first.get("batch_input_shape") or options.get("build_input_shape")
    if shape:
        dtype = first["dtype"] if isinstance(first.get("dtype"), str) else "float32"
        given = {"batch_shape": shape, "dtype": dtype, "name": f"{translated[0]['config'].get('name', 'net')}_input"}
        translated.insert(0, _serialized("InputLayer", given, "keras.layers"))
    return translated


def _functional(config: Config, custom_objects: Collection[str]) -> Config:
    """Return a functional model; whether it is `trainable`, each of its layers says for itself."""
    layers = config["layers"]
    renamed = {str(layer["name"]): plain_name(layer["name"]) for layer in layers}
    if len(set(renamed.values())) < len(renamed):
        raise Untranslatable(str(config.get("name")), "two layers whose names differ in a slash")
    connections = Connections(layers, renamed, config["output_layers"])
    return {
        "name": plain_name(config["name"]),
        "layers": [_connected(layer, connections, custom_objects) for layer in layers],
        "input_layers": _single(connections.references(config["input_layers"])),
        "output_layers": _single(connections.references(config["output_layers"])),
    }


def _single(references: Any) -> Any:
    """Keras 2 lists a single input, Keras 3 does not: its models would take a list."""
    return references[0] if isinstance(references, list) and len(references) == 1 else references


def _connected(layer: Config, connections: Connections, custom_objects: Collection[str]) -> Config:
    """Return a layer of a functional model with its calls."""
    name, nodes = str(layer["name"]), layer["inbound_nodes"]
    if layer["class_name"] in FUNCTION_LAYERS:
        if len(nodes) != 1:
            raise Untranslatable(name, "several calls of a function")
        function = layer["config"]["function"]
        arguments, call = connections.function(name, function, nodes[0])
        options = {"name": plain_name(name), "function": function, **arguments}
        made = _serialized(FUNCTION_LAYER, options, None, registered_name=FUNCTION_LAYER)
        calls = [call]
    else:
        made = translate(layer, custom_objects)
        calls = [connections.inbound(name, node) for node in nodes]
    return {**made, "name": plain_name(name), "inbound_nodes": calls}
