"""What Keras 3 cannot express, run by Keras 2 itself, which the package tf-keras keeps alive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgeconv.conversion.keras.legacy.layers import layers_of_applications
from edgeconv.conversion.keras.legacy.options import plain_name
from edgeconv.conversion.keras.ranges import smallest_table
from edgeconv.quiet import native_log_held_back


def is_installed() -> bool:
    """Tell whether Keras 2 is there."""
    return find_spec("tf_keras") is not None


def open_by_tf_keras(path: Path, *, unsafe: bool, custom_objects: Mapping[str, Any]) -> Any:
    """Return a model of Keras 2 as a Keras 3 model of one layer, which calls it.

    Args:
        path: a `.h5` or `.keras` file that `check_archive` let pass.
        unsafe: run the code that the file carries.
        custom_objects: the user's classes of Keras 2, by name.
    """
    with native_log_held_back():
        import tf_keras

        objects = {**custom_objects, **layers_of_applications("tf_keras")}
        model = tf_keras.models.load_model(path, custom_objects=objects, compile=False, safe_mode=not unsafe)
    for layer in model.submodules:
        if isinstance(layer, tf_keras.layers.RandomCrop):
            layer.call = _resized(layer)
    return as_keras3(model)


def _resized(crop: Any) -> Callable[..., Any]:
    """Return what a RandomCrop does at inference: its graph has the random numbers too, which ONNX lacks."""
    import tensorflow as tf
    import tf_keras

    def call(inputs: Any, training: bool | None = None) -> Any:  # noqa: ARG001 - Keras passes it.
        resized = tf_keras.preprocessing.image.smart_resize(inputs, (crop.height, crop.width))
        return tf.cast(resized, crop.compute_dtype)

    return call


def as_keras3(model: Any) -> Any:
    """Return a Keras 3 model that calls a model of Keras 2, with the same inputs, and its outputs by name."""
    import keras
    import tensorflow as tf

    class Keras2Model(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        """The model of Keras 2."""

        def __init__(self) -> None:
            super().__init__(name=plain_name(model.name), autocast=False)
            self.keras2_model = model
            self.foreign_parameters = int(model.count_params())
            self.smallest_table = smallest_table(model)

        def build(self, _: Any) -> None:
            self.built = True

        def call(self, tensors: Any) -> Any:
            given = tensors if isinstance(tensors, list) else [tensors]
            answers = model(tf.nest.pack_sequence_as(model._nested_inputs, given), training=False)
            return dict(zip(model.output_names, tf.nest.flatten(answers), strict=True))

    inputs = [
        keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype.name, name=plain_name(name))
        for name, tensor in zip(model.input_names, model.inputs, strict=True)
    ]
    given = inputs if len(inputs) > 1 else inputs[0]
    return keras.Model(given, Keras2Model()(given), name=plain_name(model.name))
