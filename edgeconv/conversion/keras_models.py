"""Keras models: loaded safely, asked for their answers, and traced to ONNX by tf2onnx.

The one module of the room that opens Keras and TensorFlow, and only inside its functions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.config import INPUT_RANGES
from edgeconv.conversion.layer_names import MARK
from edgeconv.errors import ArtifactError, ConfigError, UnsupportedModelError, require
from edgeconv.quiet import errors_only, native_log_held_back

OPSET = 17
"""The newest at which tf2onnx 1.17 writes GlobalAveragePool, which can be quantized; at 18 it writes ReduceMean."""

BATCH = 500
"""Images a call of the reference."""


EXAMPLE_SIDE = 64


@dataclass(frozen=True)
class KerasReference:
    """A loaded Keras model with one image input and one output of class scores.

    Attributes:
        path: the `.keras` file.
        model: the Keras model.
        scale: multiplies a raw pixel before the model sees it, and
        offset: is added then; None where the model's pixels are not known, and it keeps its own float input.
    """

    path: Path
    model: Any
    scale: float | None
    offset: float

    @property
    def eats_pixels(self) -> bool:
        """Whether raw pixels, uint8 0-255, may be given."""
        return self.scale is not None

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """(height, width, channels), or whatever follows the batch axis."""
        return tuple(self.model.inputs[0].shape[1:])

    @property
    def example_shape(self) -> tuple[int, ...]:
        """The input shape with an arbitrary size in place of each dynamic one."""
        return tuple(EXAMPLE_SIDE if axis is None else axis for axis in self.input_shape)

    @property
    def input_dtype(self) -> str:
        """What the exported file eats: ``"uint8"`` where it eats pixels, else the Keras input's own."""
        return "uint8" if self.eats_pixels else str(self.model.inputs[0].dtype)

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return int(self.model.outputs[0].shape[-1])

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return int(self.model.count_params())

    def predict(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return the reference's answers.

        Args:
            images: (n, ...), uint8 0-255 where the model eats pixels, else float32.

        Returns:
            float32, (n, classes).
        """
        starts = range(0, len(images), BATCH)
        batches = [self._function(images[start : start + BATCH])["probabilities"].numpy() for start in starts]
        return np.concatenate(batches).astype(np.float32)

    def to_onnx(self) -> onnx.ModelProto:
        """Trace the model to ONNX with the input `image` and the output `probabilities`, as tf2onnx leaves it.

        Raises:
            UnsupportedModelError: tf2onnx cannot convert it.
        """
        with native_log_held_back():
            import tf2onnx

        with _marked_names(self.model), errors_only("tf2onnx"), native_log_held_back():
            traced = self._trace()
            try:
                proto, _ = tf2onnx.convert.from_function(traced, input_signature=traced.input_signature, opset=OPSET)
            except Exception as error:  # tf2onnx raises whatever its handlers raise.
                raise UnsupportedModelError(
                    f"`{self.path}` must consist of layers that tf2onnx converts. "
                    f"Received: {' '.join(str(error).split())}. Replace the layer that it names."
                ) from error
        return cast(onnx.ModelProto, proto)

    @cached_property
    def _function(self) -> Any:
        return self._trace()

    def _trace(self) -> Any:
        import tensorflow as tf

        signature = [tf.TensorSpec((None, *self.input_shape), tf.as_dtype(self.input_dtype), name="image")]
        wants_pixels = tf.as_dtype(self.model.inputs[0].dtype) == tf.uint8

        def answer(image: Any) -> dict[str, Any]:
            if self.scale is not None and not wants_pixels:
                image = tf.cast(image, tf.float32)
                image = image if (self.scale, self.offset) == (1.0, 0.0) else image * self.scale + self.offset
            return {"probabilities": tf.cast(self.model(image, training=False), tf.float32)}

        return tf.function(answer, input_signature=signature, autograph=False)


def load_keras(path: Path, *, input_range: str | None = None) -> KerasReference:
    """Load a `.keras` file without running code that it carries.

    Args:
        path: the file.
        input_range: what the model's float input expects of pixels, a key of `INPUT_RANGES`; None where the model
            says so itself (a uint8 input, or a Rescaling or Normalization layer first) or where nobody knows.

    Raises:
        ArtifactError: there is no such file, or Keras cannot load it.
        ConfigError: `input_range` is given for a model that scales pixels itself.
        UnsupportedModelError: the model has several inputs or outputs, or its output is no row of scores.
        MissingDependencyError: tensorflow, keras or tf2onnx is not installed.
    """
    require("tensorflow", "keras", "tf2onnx", extra="train", purpose="Exporting a Keras model")
    if not path.is_file():
        raise ArtifactError(f"`{path}` must be a .keras file. Received: no such file. Make one with `edgeconv train`.")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with native_log_held_back():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # Logs the absence of GPUs, once.
    try:
        with native_log_held_back():
            model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the damaged part makes it raise.
        reason = " ".join(str(error).split())[:300]
        raise ArtifactError(
            f"`{path}` must be a .keras file that Keras {keras.__version__} loads in safe mode. Received: "
            f"{type(error).__name__}: {reason}. Save the model again with `model.save`."
        ) from error
    _check_structure(path, model)
    scale, offset = _pixel_scaling(path, model, input_range)
    return KerasReference(path, model, scale, offset)


def _check_structure(path: Path, model: Any) -> None:
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs or len(inputs) != 1 or len(outputs) != 1:
        counts = f"{len(inputs or ())} inputs and {len(outputs or ())} outputs"
        raise UnsupportedModelError(
            f"`{path}` must be a model with one input and one output. Received: {counts}. "
            "Make a functional model of the part to export."
        )
    shape = tuple(outputs[0].shape)
    if len(shape) != 2 or shape[1] is None:
        raise UnsupportedModelError(
            f"`{path}` must answer with (batch, classes). Received: {shape}. End the model with a Dense layer."
        )


def _pixel_scaling(path: Path, model: Any, input_range: str | None) -> tuple[float | None, float]:
    """Return the scale and offset that turn a raw pixel into what the model eats; the scale is None if unknown."""
    first = next((layer for layer in model.layers if type(layer).__name__ != "InputLayer"), None)
    scales_itself = model.inputs[0].dtype == "uint8" or type(first).__name__ in {"Rescaling", "Normalization"}
    if scales_itself and input_range is not None:
        raise ConfigError(
            f"`input_range` is for a model that expects scaled floats. Received: {input_range!r} for `{path}`, which "
            "scales raw pixels itself. Leave it out."
        )
    if scales_itself:
        return 1.0, 0.0
    if input_range is None:
        return None, 0.0
    low, high = INPUT_RANGES[input_range]
    return (high - low) / 255.0, low


@contextmanager
def _marked_names(model: Any) -> Iterator[None]:
    """Mark the names of the layers while the model is traced; see `layer_names`."""
    marked = list(_all_layers(model))
    for layer in marked:
        layer.name += MARK
    try:
        yield
    finally:
        for layer in marked:
            layer.name = layer.name.removesuffix(MARK)


def _all_layers(layer: Any) -> Iterator[Any]:
    seen = {id(layer): layer}
    queue = [layer]
    while queue:
        for child in getattr(queue.pop(), "layers", ()):
            if id(child) not in seen:
                seen[id(child)] = child
                queue.append(child)
    yield from seen.values()
