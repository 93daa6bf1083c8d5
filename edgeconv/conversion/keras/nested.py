"""What networks inside a model declare of their own inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeconv.conversion.tracing.layer_calls import layer_paths


def declared_shapes(model: Any) -> Iterator[tuple[int, ...]]:
    """Yield the shapes, without the batch axis, of the inputs of networks inside a Keras model that leave nothing open.

    Each comes once, in the order of the model's layers.
    """
    seen = set()
    for layer in layer_paths(model).values():
        inputs = getattr(layer, "inputs", None)
        for tensor in inputs if isinstance(inputs, list) else ():
            shape = tuple(tensor.shape)[1:]
            if shape not in seen and None not in shape:
                seen.add(shape)
                yield shape
