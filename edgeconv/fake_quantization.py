"""The Keras layers of quantization-aware training: what a `.keras` file carries its int8 ranges in.

Training puts them into a model, and the export takes them out again: they are known here to both. Keras itself is not
imported; whoever has a model has Keras, and passes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

PACKAGE = "edgeconv"
RANGE, WEIGHTS = "FakeQuantize", "FakeQuantizedWeights"
REGISTERED = frozenset({f"{PACKAGE}>{RANGE}", f"{PACKAGE}>{WEIGHTS}"})
"""What the classes are called in a file."""

STEPS = 255
"""Steps from the lowest to the highest activation, uint8."""

WEIGHT_STEPS = 127
"""Steps from zero to the largest weight of an output channel, int8 and symmetric."""

MOMENTUM = 0.99
"""Share of a range that the next batch leaves as it is; Krishnamoorthi 2018, arXiv:1806.08342, section 3.2."""


@dataclass(frozen=True)
class FakeQuantizationLayers:
    """The two classes of layers.

    Attributes:
        range: rounds a tensor to 256 steps.
        weights: calls a layer with rounded weights.
    """

    range: Any
    weights: Any


def representable(low: float, high: float) -> tuple[float, float]:
    """Return the lowest and the highest value of the 256 steps that stand for a range; zero is one of them.

    In float32, step by step as `FakeQuantize` computes it.

    Example:
        >>> [round(end, 4) for end in representable(-1.0, 1.0)]
        [-1.0039, 0.9961]
    """
    scale = np.float32(np.float32(high) - np.float32(low)) / np.float32(STEPS)
    zero_point = np.rint(-np.float32(low) / scale)
    return float(-zero_point * scale), float((STEPS - zero_point) * scale)


@cache
def fake_quantization_layers(keras: Any) -> FakeQuantizationLayers:
    """Return the classes of layers, registered with Keras' serialization.

    Args:
        keras: the module.
    """
    ops, register = keras.ops, keras.saving.register_keras_serializable

    @register(PACKAGE, RANGE)
    class FakeQuantize(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types.
        """Rounds what it is given to the 256 steps of its range, and hands gradients through where that ends nowhere.

        In training the range follows the extremes of the batches; before the first batch nothing is rounded.

        Args:
            fixed: lowest and highest value, where these are known.
            options: what every layer takes.
        """

        def __init__(self, fixed: tuple[float, float] | None = None, **options: Any) -> None:
            super().__init__(**options)
            self.fixed = None if fixed is None else (float(fixed[0]), float(fixed[1]))

        def build(self, _: Any) -> None:
            low, high = self.fixed or (0.0, 0.0)
            shared: Any = {"trainable": False, "aggregation": "mean"}  # Over the devices that share a batch.
            constant = keras.initializers.Constant
            self.low = self.add_weight(name="low", initializer=constant(min(low, 0.0)), **shared)
            self.high = self.add_weight(name="high", initializer=constant(max(high, 0.0)), **shared)

        def call(self, values: Any, training: bool = False, only_step: bool = False) -> Any:
            if only_step:
                return (self.high - self.low) / STEPS
            if training and self.fixed is None:
                self._follow(values)
            width = self.high - self.low
            scale = ops.where(width > 0, width, STEPS) / STEPS
            zero_point = ops.round(-self.low / scale)
            clipped = ops.clip(values, -zero_point * scale, (STEPS - zero_point) * scale)
            steps = ops.clip(ops.round(values / scale), -zero_point, STEPS - zero_point)
            return ops.where(width > 0, clipped + ops.stop_gradient(steps * scale - clipped), values)

        def _follow(self, values: Any) -> None:
            known = self.high > self.low
            for bound, seen in (
                (self.low, ops.minimum(ops.min(values), 0.0)),
                (self.high, ops.maximum(ops.max(values), 0.0)),
            ):
                bound.assign(ops.where(known, MOMENTUM * bound + (1 - MOMENTUM) * ops.stop_gradient(seen), seen))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "fixed": self.fixed}

    @register(PACKAGE, WEIGHTS)
    class FakeQuantizedWeights(keras.layers.Wrapper):  # type: ignore[misc]  # Keras ships no types.
        """Calls a convolution or a Dense layer with its kernel and bias rounded, a scale for each output channel.

        Args:
            layer: it, with a `kernel`.
            options: what every layer takes.
        """

        def call(self, values: Any, step: Any = None) -> Any:
            """Call the layer; `step` is that of `values`, on which the bias depends, or None where there is none."""
            layer, depthwise = self.layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D
            steps = _steps_of_weights(ops, layer.kernel, outputs=2 if isinstance(layer, depthwise) else 1)
            rounded = [(layer.kernel, _rounded(ops, layer.kernel, steps))]
            if layer.bias is not None:
                fine = 0.0 if step is None else step * ops.reshape(steps, (-1,))
                rounded.append((layer.bias, _rounded(ops, layer.bias, fine)))
            with keras.StatelessScope(state_mapping=rounded):
                return layer(values)

    return FakeQuantizationLayers(FakeQuantize, FakeQuantizedWeights)


def _steps_of_weights(ops: Any, kernel: Any, *, outputs: int) -> Any:
    """Return the step of each output channel of a kernel, whose last axes are those of the outputs."""
    largest = ops.max(ops.abs(kernel), axis=tuple(range(len(kernel.shape) - outputs)), keepdims=True)
    return ops.where(largest > 0, largest, WEIGHT_STEPS) / WEIGHT_STEPS


def _rounded(ops: Any, weights: Any, step: Any) -> Any:
    """Return weights rounded to steps, where these are not 0; the gradient is that of the weights themselves."""
    weights, known = ops.convert_to_tensor(weights), step > 0
    rounded = ops.round(weights / ops.where(known, step, 1.0)) * step
    return ops.where(known, weights + ops.stop_gradient(rounded - weights), weights)


def rebuilt(
    keras: Any, model: Any, call: Callable[..., Any], enter: Callable[[Any], Any] = lambda tensor: tensor
) -> Any:
    """Return a functional model that is made anew, call by call.

    Args:
        keras: the module.
        model: a functional model; it stays as it is.
        call: for each call of a layer, in order: its node, and the new arguments; returns what is handed on.
        enter: makes of a new input what the layers are given.
    """
    tree = keras.tree
    inputs = tree.map_structure(
        lambda given: keras.Input(batch_shape=given.shape, dtype=given.dtype, name=given.name), model._inputs_struct
    )
    made = {id(old): enter(new) for old, new in zip(model.inputs, tree.flatten(inputs), strict=True)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if not node.is_input:
                args, kwargs = node.arguments.fill_in(made)
                outputs = tree.flatten(call(node, *args, **kwargs))
                made.update(zip(map(id, node.output_tensors), outputs, strict=True))
    outputs = tree.pack_sequence_as(model._outputs_struct, [made[id(output)] for output in model.outputs])
    return keras.Model(inputs, outputs, name=model.name)
