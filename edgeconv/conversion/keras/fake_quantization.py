"""What quantization-aware training left in a model: taken out before tracing, its ranges kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgeconv.fake_quantization import fake_quantization_layers, rebuilt, representable


@dataclass(frozen=True)
class FakeQuantized:
    """A model with fake quantization, as it was trained.

    Attributes:
        model: rounds as the int8 file will.
        ranges: lowest and highest value of the steps of each output of a layer, by the path of the layer, ``#2`` after
            it in the second call; and of inputs, by their names.
    """

    model: Any
    ranges: Mapping[str, tuple[float, float]]


def fake_quantization_objects() -> dict[str, Any]:
    """Return the layers by the names that Keras looks for. Imports Keras."""
    import keras

    fake_quantization_layers(keras)
    return {name: value for name, value in keras.saving.get_custom_objects().items() if name.startswith("edgeconv>")}


def without_fake_quantization(model: Any) -> tuple[Any, FakeQuantized | None]:
    """Return a model of the same layers without fake quantization, and what that was; the model itself where none is.

    Args:
        model: as it was loaded; its layers are shared.
    """
    import keras

    own = fake_quantization_layers(keras)
    inside: list[Any] = list(getattr(model, "_flatten_layers", tuple)())
    if not any(isinstance(layer, own.range | own.weights) for layer in inside):
        return model, None
    removal = _Removal(own)
    plain = removal.without(model, "")
    return plain, FakeQuantized(model, removal.ranges)


class _Removal:
    """Models made anew without fake quantization.

    Attributes:
        ranges: see `FakeQuantized`.
    """

    def __init__(self, own: Any) -> None:
        self._own = own
        self._sources: dict[int, str] = {}
        self._held: list[Any] = []
        self._taken: set[int] = set()
        self.ranges: dict[str, tuple[float, float]] = {}

    def without(self, model: Any, path: str) -> Any:
        """Return a model without; `path` is that of the layer that it is, with a slash, or empty."""
        import keras

        calls: Counter[str] = Counter()

        def enter(tensor: Any) -> Any:
            return self._known(tensor, tensor.name) if not path else tensor

        def call(node: Any, *args: Any, **options: Any) -> Any:
            layer = node.operation
            if isinstance(layer, self._own.range):
                self._take(layer, args[0])
                return args[0]
            calls[layer.name] += 1
            number = calls[layer.name]
            name = f"{path}{layer.name}" if number == 1 else f"{path}{layer.name}#{number}"
            if isinstance(layer, keras.Model):
                layer = self.without(layer, f"{path}{layer.name}/")
            elif isinstance(layer, self._own.weights):
                layer, options = layer.layer, {}
            return keras.tree.map_structure(lambda made: self._known(made, name), layer(*args, **options))

        return rebuilt(keras, model, call, enter)

    def _known(self, tensor: Any, name: str) -> Any:
        self._held.append(tensor)  # Else another may get its identity.
        self._sources[id(tensor)] = name
        return tensor

    def _take(self, layer: Any, tensor: Any) -> None:
        low, high = float(layer.low), float(layer.high)
        # A layer that reads a second tensor rounds it to the steps of the first.
        if high > low and id(layer) not in self._taken:
            self._taken.add(id(layer))
            self.ranges[self._sources[id(tensor)]] = representable(low, high)
