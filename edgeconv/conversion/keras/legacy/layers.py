"""What Keras 3 lacks and models of Keras 2 need, as objects that Keras 3 finds by their names."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edgeconv.conversion.keras.archive.keras2_names import OF_APPLICATIONS
from edgeconv.conversion.keras.legacy.options import HARD_SIGMOID
from edgeconv.conversion.keras.legacy.translation import FUNCTION_LAYER


def keras2_objects() -> dict[str, Any]:
    """Return the layers and functions by the names that `translate` gives them."""
    import keras

    class TensorFlowFunction(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        """A function of TensorFlow among layers, with its arguments; the tensors among them are its inputs."""

        def __init__(self, function: str, first: Any, keywords: Any, **options: Any) -> None:
            super().__init__(autocast=False, **options)
            self.symbol, self.first, self.keywords = function, first, keywords
            self.supports_masking = True

        def build(self, _: Any) -> None:
            self.built = True

        def call(self, tensors: Any) -> Any:
            given = tensors if isinstance(tensors, list) else [tensors]
            keywords = {key: _filled(value, given) for key, value in self.keywords.items()}
            return _called(self.symbol, _filled(self.first, given), keywords)

        def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
            """Hand no mask on, as in Keras 2."""

    def hard_sigmoid(x: Any) -> Any:
        """Return 0.2 x + 0.5 between 0 and 1, as in Keras 2."""
        return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)

    hard_sigmoid.__name__ = HARD_SIGMOID
    return {FUNCTION_LAYER: TensorFlowFunction, HARD_SIGMOID: hard_sigmoid, **layers_of_applications("keras")}


def layers_of_applications(package: str) -> dict[str, Any]:
    """Return the layers of keras.applications' own by name, of `keras` or of `tf_keras`."""
    modules = {name: import_module(f"{package}.src.applications.{module}") for name, module in OF_APPLICATIONS.items()}
    return {name: getattr(module, name) for name, module in modules.items()}


def _filled(value: Any, tensors: list[Any]) -> Any:
    """Return an argument with tensors, slices and the ellipsis in their places."""
    if isinstance(value, dict) and set(value) == {"tensor"}:
        return tensors[value["tensor"]]
    if isinstance(value, dict) and set(value) == {"start", "stop", "step"}:
        return slice(*(_filled(value[key], tensors) for key in ("start", "stop", "step")))
    if value == {"ellipsis": True}:
        return ...
    if isinstance(value, dict):
        return {key: _filled(part, tensors) for key, part in value.items()}
    return [_filled(part, tensors) for part in value] if isinstance(value, list) else value


def _called(name: str, first: Any, keywords: dict[str, Any]) -> Any:
    import tensorflow as tf

    if name == "__operators__.getitem":
        spec = keywords["slice_spec"]
        return first[tuple(spec) if isinstance(spec, list) else spec]
    function: Any = tf
    for part in OPERATORS.get(name, name).split("."):
        function = getattr(function, part)
    return function(first, **keywords)


OPERATORS = {"__operators__.add": "add", "__operators__.eq": "equal", "__operators__.ne": "not_equal"}
"""Operators that TensorFlow has a public function of, which does the same to numbers."""
