"""Batch normalization in the weights of the layer before it, as the export folds it."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from edgeconv.training.quantized_tensors import Readers, activation_of


def norms_behind(readers: Readers, weighted: tuple[type, ...]) -> dict[int, Any]:
    """Return the batch normalizations that alone read what a linear layer makes, by the identity of that layer.

    Args:
        readers: of the model.
        weighted: classes of the layers that take one in.
    """
    calls = [id(node.operation) for node in readers.nodes]
    found: dict[int, Any] = {}
    for node in readers.nodes:
        layer, reader = node.operation, None
        if isinstance(layer, weighted) and activation_of(layer).name == "linear":
            reader = readers.only(node)
        norm = None if reader is None else reader.operation
        if isinstance(norm, layers.BatchNormalization) and calls.count(id(layer)) == calls.count(id(norm)) == 1:
            axis = norm.axis % len(node.output_tensors[0].shape)
            if axis == _channel_axis(layer, len(node.output_tensors[0].shape)):
                found[id(layer)] = norm
    return found


def folded_weights(layer: Any, norm: Any) -> list[NDArray[np.float32]]:
    """Return kernel and bias of a layer with its batch normalization, whose statistics are those of the training."""
    mean, variance = (np.asarray(each, np.float64) for each in (norm.moving_mean, norm.moving_variance))
    gamma = 1.0 if norm.gamma is None else np.asarray(norm.gamma, np.float64)
    beta = 0.0 if norm.beta is None else np.asarray(norm.beta, np.float64)
    factor = gamma / np.sqrt(variance + norm.epsilon)
    kernel, *rest = layer.get_weights()
    bias = rest[0] if rest else 0.0
    outputs = factor.reshape(kernel.shape[-2:]) if _is_depthwise(layer) else factor
    return [(kernel * outputs).astype(np.float32), ((bias - mean) * factor + beta).astype(np.float32)]


def _is_depthwise(layer: Any) -> bool:
    return isinstance(layer, layers.DepthwiseConv1D | layers.DepthwiseConv2D)


def _channel_axis(layer: Any, axes: int) -> int:
    return 1 if getattr(layer, "data_format", None) == "channels_first" else axes - 1
