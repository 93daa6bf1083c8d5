"""A loaded Keras model: the reference that every exported file is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.keras.boxes.layout import BoxLayout
from edgeconv.conversion.keras.fake_quantization import FakeQuantized
from edgeconv.conversion.keras.head import Head
from edgeconv.conversion.keras.interface import Interface
from edgeconv.conversion.keras.pixels import Pixels
from edgeconv.conversion.keras.ports import IMAGE, Port
from edgeconv.conversion.keras.structure import leaves, rebuilt
from edgeconv.conversion.tracing.layer_calls import LayerCalls, describe_layer
from edgeconv.conversion.tracing.patches.registry import while_answered
from edgeconv.conversion.tracing.tracer import trace
from edgeconv.errors import UnsupportedModelError, one_line
from edgeconv.input_range import RAW
from edgeconv.quiet import native_log_held_back
from edgeconv.tasks import ANY, CLASSES, YES_NO

OPSET = 17
"""The newest at which tf2onnx 1.17 writes GlobalAveragePool, which can be quantized; at 18 it writes ReduceMean."""


@dataclass(frozen=True)
class KerasReference:
    """A loaded Keras model.

    Attributes:
        path: its file.
        model: the Keras model, in float32.
        interface: how it is called.
        head: what its outputs mean.
        pixels: what becomes of a raw pixel before the model sees it, where that is known.
        trained: the model as it was trained; another than `model` where that was in mixed precision.
        batch: size of the batch axis of the exported file; None keeps it dynamic.
        boxes: of a detector: where its outputs hold boxes and scores.
        fake_quantized: the model as it was trained to be int8; None where it was not.
    """

    path: Path
    model: Any
    interface: Interface
    head: Head
    pixels: Pixels
    trained: Any
    batch: int | None = None
    boxes: BoxLayout | None = None
    fake_quantized: FakeQuantized | None = None

    @property
    def with_fake_quantization(self) -> KerasReference | None:
        """The same as it was trained to be int8, which its int8 file is held against; None where it was not."""
        return None if self.fake_quantized is None else replace(self, model=self.fake_quantized.model)

    @property
    def task(self) -> str:
        """What its outputs mean, a key of `TASKS`."""
        return self.head.task or ANY

    @property
    def takes_picture(self) -> bool:
        """Whether a picture goes in, the file's `image`."""
        return self.interface.takes_picture and self.inputs[0].name == IMAGE

    @property
    def is_classifier(self) -> bool:
        """Whether a picture goes in and the scores of one class of many come out."""
        return self.takes_picture and self.task == CLASSES

    @property
    def answers_classes(self) -> bool:
        """Whether each picture has one class, of many or of two: labelled pictures tell how often it is right."""
        return self.takes_picture and self.task in {CLASSES, YES_NO}

    @property
    def eats_pixels(self) -> bool:
        """Whether raw pixels, uint8 0-255, may be given."""
        return self.pixels.range is not None

    @property
    def inputs(self) -> tuple[Port, ...]:
        """The inputs of the exported file."""
        ports = [replace(port, batch=self.batch) for port in self.interface.inputs]
        return tuple(replace(port, dtype="uint8") if self.eats_pixels else port for port in ports)

    @property
    def outputs(self) -> tuple[Port, ...]:
        """The outputs of the model, and of the exported file if it is no detector's."""
        return tuple(replace(port, batch=self.batch) for port in self.interface.outputs)

    def file_outputs(self, *, suppressed: bool) -> tuple[Port, ...]:
        """Return the outputs of the exported file; of a detector's, of one that suppresses boxes or not."""
        if self.boxes is None:
            return self.outputs
        others = tuple(port for port in self.outputs if port.name not in self.boxes.own_outputs)
        return (*self.boxes.ports(suppressed=suppressed, batch=self.batch), *others)

    @property
    def classes(self) -> int:
        """Number of classes of a classifier."""
        return int(self.outputs[0].shape[0] or 0)

    @property
    def parameters(self) -> int:
        """Number of weights, those included that a layer calls and Keras 3 doesn't know of."""
        foreign = sum(getattr(layer, "foreign_parameters", 0) for layer in self.model.layers)
        return int(self.model.count_params()) + foreign

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the reference's answers to arrays of one batch size by input name.

        Keras runs the model operator by operator. What TensorFlow has no kernel for on a CPU, such as convolutions of
        channels first, is compiled by XLA.

        Raises:
            UnsupportedModelError: Keras itself cannot run the model on these inputs; names the layer.
        """
        tensors = [feeds[port.name] for port in self.inputs]
        calls = LayerCalls()
        # Keras has no answer on a CPU where a layer insists on cuDNN, and rounds differently in a graph.
        with while_answered(self.model), native_log_held_back():
            try:
                with calls.followed():
                    return self._by_name(self.call(self.model, tensors))
            except Exception as error:  # A layer's own code may raise anything.
                try:
                    return self._by_name(self._compiled(tensors))
                except Exception:
                    failed = describe_layer(self.model, calls.failed or self.model)
                    shapes = ", ".join(f"{name} {array.dtype} {array.shape}" for name, array in feeds.items())
                    reason = f"{type(error).__name__}: {one_line(error)}"
        raise UnsupportedModelError(
            f"`{self.path}`, {failed}: it must answer in Keras. Received: {reason}, on {shapes}. Give inputs of yours "
            "with `--input-data x.npz`, or replace the layer."
        )

    def run_trained(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return the answers of the model as it was trained, in mixed precision where it was."""
        return self._by_name(self.call(self.trained, [feeds[port.name] for port in self.inputs]))

    def predict(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Return a classifier's answers.

        Args:
            images: (n, ...), uint8 0-255 where the model takes pixels, else float32.

        Returns:
            float32, (n, classes).
        """
        return np.asarray(self._function(images), dtype=np.float32)

    def call(self, model: Any, tensors: Sequence[Any]) -> list[Any]:
        """Call a Keras model of this interface on tensors in the order of the inputs; the outputs in theirs."""
        scaled = map(self._as_declared, map(self._scaled, tensors))
        arguments = rebuilt(self.interface.arguments, scaled.__next__)
        answers = model(**arguments, training=False) if self.interface.by_name else model(arguments, training=False)
        return [answer for _, answer in leaves(answers, like=self.interface.answers)]

    def to_onnx(self, *, opset: int = OPSET) -> onnx.ModelProto:
        """Trace the model to ONNX, as tf2onnx leaves it.

        Args:
            opset: version of the ONNX operators.

        Raises:
            UnsupportedModelError: tf2onnx cannot convert it; names the layer.
        """
        return trace(self._answer, self._signature(self.batch), self.model, opset=opset, source=str(self.path))

    def _compiled(self, tensors: Sequence[Any]) -> Any:
        import tensorflow as tf

        return tf.function(lambda *given: self.call(self.model, given), autograph=False, jit_compile=True)(*tensors)

    @cached_property
    def _function(self) -> Any:
        import tensorflow as tf

        def answer(image: Any) -> Any:
            return self.call(self.model, [image])[0]

        return tf.function(answer, input_signature=self._signature(None), autograph=False)

    def _signature(self, batch: int | None) -> list[Any]:
        import tensorflow as tf

        return [tf.TensorSpec((batch, *port.shape), port.dtype, name=port.name) for port in self.inputs]

    def _answer(self, **tensors: Any) -> dict[str, Any]:
        import tensorflow as tf

        answers = self.call(self.model, [tensors[port.name] for port in self.inputs])
        return {port.name: tf.identity(answer) for port, answer in zip(self.outputs, answers, strict=True)}

    def _by_name(self, answers: Sequence[Any]) -> dict[str, NDArray[Any]]:
        return {port.name: answer.numpy() for port, answer in zip(self.outputs, answers, strict=True)}

    def _as_declared(self, tensor: Any) -> Any:
        """Give a picture, whose channels are last, the axes that the model declares."""
        import tensorflow as tf

        if self.interface.channels == "absent":
            return tf.squeeze(tensor, -1)
        return tf.transpose(tensor, (0, 3, 1, 2)) if self.interface.channels == "first" else tensor

    def _scaled(self, tensor: Any) -> Any:
        import tensorflow as tf

        stated = self.pixels.range
        # A model with a uint8 input casts by itself.
        if stated is None or self.interface.inputs[0].dtype == "uint8":
            return tf.convert_to_tensor(tensor)
        pixels = tf.cast(tensor, tf.float32)
        if stated.channels is None:
            return pixels if stated == RAW else pixels * stated.scale[0] + stated.offset[0]
        scaled = pixels * np.array(stated.scale, np.float32) + np.array(stated.offset, np.float32)
        return scaled[..., ::-1] if stated.bgr else scaled
