"""The weights of a `.h5` file of Keras 2, put into a model of Keras 3 layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.legacy.options import plain_name


def load_weights(path: Path, model: Any, wrapped: Collection[str] = ()) -> None:
    """Put the weights of a `.h5` file into a model, each layer's by the layer's name.

    Keras goes by the order of the layers, which need not be the same in two versions of Keras.

    Args:
        path: of the file.
        model: of Keras 3.
        wrapped: layers that a wrapper of their name had weights beside.

    Raises:
        ValueError: a layer's weights are missing or too many, or of other shapes.
    """
    import h5py

    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        groups = {plain_name(name): root[name] for name in _texts(root, "layer_names")}
        all_names = {name: _texts(group, "weight_names") for name, group in groups.items()}
        for name in wrapped:
            all_names[name] = [weight for weight in all_names[name] if not weight.startswith(f"{name}/")]
        saved = {name: names for name, names in all_names.items() if names}
        layers = {layer.name: layer for layer in model.layers if layer.weights}
        if set(layers) != set(saved):
            # Models without a name in the config get one from the counter of Keras: their places count.
            if len(layers) != len(saved):
                raise ValueError(f"{len(saved)} layers with weights in the file, {len(layers)} in the model")
            layers = dict(zip(saved, layers.values(), strict=True))
        for name, weight_names in saved.items():
            _assign(layers[name], weight_names, [groups[name][weight][()] for weight in weight_names])


def check_order(model: Any, config: dict[str, Any]) -> None:
    """Check that a model has its layers in the order of its config: in a `.keras` file weights go by that order.

    Raises:
        ValueError: it has not.
    """
    listed = config["config"].get("layers", [])
    if not listed:
        return
    by_name = {layer.name: layer for layer in model.layers}
    names = [part["config"].get("name") for part in listed if part["config"].get("name") in by_name]
    if names != [layer.name for layer in model.layers if layer.name in names]:
        raise ValueError(f"the layers of `{model.name}` have another order in the file than in the model")
    for part in listed:
        if isinstance(part["config"], dict) and "layers" in part["config"]:
            check_order(by_name[part["config"]["name"]], part)


def _texts(group: Any, attribute: str) -> list[str]:
    """Return a list of names, which is in parts where it is too long for one attribute."""
    parts = [group.attrs[attribute]] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(group.attrs[f"{attribute}{len(parts)}"])
    return [text.decode() if isinstance(text, bytes) else str(text) for part in parts for text in part]


def _assign(layer: Any, names: list[str], values: list[Any]) -> None:
    """Assign a layer's weights in the order of the format: the trainable ones, then the others."""
    variables = layer.trainable_variables + layer.non_trainable_variables
    variables = [variable for variable in variables if "seed_generator" not in variable.path]
    if len(variables) != len(values):
        raise ValueError(f"{len(values)} weights of `{layer.name}` in the file, {len(variables)} in the model")
    owners, saved_owners = [_owner(variable.path) for variable in variables], [_owner(name) for name in names]
    if Counter(owners) == Counter(saved_owners) and owners != saved_owners:
        raise ValueError(f"the layers in `{layer.name}` have another order in the file than in the model")
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise ValueError(f"weights of `{variable.path}` of shape {value.shape}, not {tuple(variable.shape)}")
        variable.assign(value)
    for part in layer._flatten_layers():
        if hasattr(part, "finalize_state") and part.weights:
            part.finalize_state()


def _owner(path: str) -> str:
    """Return the name of the layer that a weight belongs to."""
    return path.rpartition("/")[0].rpartition("/")[2]
