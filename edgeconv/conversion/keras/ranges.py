"""Which integers an input may take: a table that is looked up by index has an end."""

from __future__ import annotations

from typing import Any

from edgeconv.conversion.tracing.layer_calls import layer_paths

LIMITS = {
    "Embedding": "input_dim",
    "ReversibleEmbedding": "input_dim",
    "CategoryEncoding": "num_tokens",
    "Keras2Model": "smallest_table",
    "SavedModel": "smallest_table",
}
"""Layers that look up by index, each with the attribute that says how many indices there are."""


def index_limits(model: Any) -> dict[str, int]:
    """Return the number of indices by the name of each symbolic input of a Keras model that a layer looks up with.

    Only what an input reaches at first hand counts; `smallest_table` tells what holds behind other layers.
    """
    limits: dict[str, int] = {}
    for layer in layer_paths(model).values():
        size = getattr(layer, LIMITS.get(type(layer).__name__, ""), None)
        if not isinstance(size, int):
            continue
        for node in getattr(layer, "_inbound_nodes", ()):
            for tensor in getattr(node, "input_tensors", ()):
                limits[tensor.name] = min(size, limits.get(tensor.name, size))
    return limits


def smallest_table(model: Any) -> int | None:
    """Return the least number of indices that any layer of a model looks up among, or None."""
    layers = getattr(model, "submodules", None) or layer_paths(model).values()  # Of Keras 2 or 3.
    sizes = [getattr(layer, LIMITS.get(type(layer).__name__, ""), None) for layer in layers]
    return min((size for size in sizes if isinstance(size, int)), default=None)
