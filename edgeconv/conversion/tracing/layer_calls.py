"""Which Keras layer is at work while a model is traced, and which one a traced node came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.graph.layer_names import MARK, layer_of_traced


@contextmanager
def marked_names(model: Any) -> Iterator[None]:
    """Mark the names of a model's layers, at every depth, while it is traced; see `layer_names`."""
    marked = list(layer_paths(model).values())
    for layer in marked:
        layer.name += MARK
    try:
        yield
    finally:
        for layer in marked:
            layer.name = layer.name.removesuffix(MARK)


def layer_paths(model: Any) -> dict[str, Any]:
    """Return every layer once, also those inside other layers, by its path from the model, which has the path ``""``.

    Example:
        `{"": model, "conv": model.conv, "encoder/attention/query": ...}`
    """
    paths = {"": model}
    queue = [("", model)]
    seen = {id(model)}
    while queue:
        path, parent = queue.pop()
        for child in getattr(parent, "_layers", ()):
            if id(child) not in seen:
                seen.add(id(child))
                place = f"{path}/{child.name.removesuffix(MARK)}".lstrip("/")
                paths[place] = child
                queue.append((place, child))
    return paths


class LayerCalls:
    """The stack of layers whose `__call__` runs, kept by wrapping `keras.Layer.__call__`.

    Attributes:
        failed: the innermost layer that raised, or None.
    """

    def __init__(self) -> None:
        self.failed: Any = None

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Follow the calls while the block runs; errors pass as they were raised, without Keras' account of tensors."""
        import keras

        original = keras.layers.Layer.__call__
        filtering = keras.config.is_traceback_filtering_enabled()
        keras.config.disable_traceback_filtering()

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return original(layer, *args, **kwargs)
            except Exception:
                self.failed = self.failed or layer
                raise

        keras.layers.Layer.__call__ = call
        try:
            yield
        finally:
            keras.layers.Layer.__call__ = original
            if filtering:
                keras.config.enable_traceback_filtering()


def describe_layer(model: Any, layer: Any) -> str:
    """Return ``layer `path` (Class)`` for one of a model's layers, or the model itself."""
    name = layer.name.removesuffix(MARK)
    path = next((path for path, known in layer_paths(model).items() if known is layer), name)
    return f"layer `{path}` ({type(layer).__name__})" if path else f"model `{name}` ({type(model).__name__})"


def describe_origin(model: Any, node_name: str) -> tuple[str, Any]:
    """Return a description of the layer that a traced node came from, and the layer, or None where it is unknown."""
    path = layer_of_traced(node_name)
    if path is None:
        return f"node `{node_name}`", None
    paths = layer_paths(model)
    layer = paths.get(path) or next(
        (known for place, known in paths.items() if place.rpartition("/")[2] == path.rpartition("/")[2]), None
    )
    return (f"layer `{path}`" if layer is None else f"layer `{path}` ({type(layer).__name__})"), layer
