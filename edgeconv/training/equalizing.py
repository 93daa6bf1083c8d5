"""Channels between the layers of a Keras model brought to a like range, before fake quantization.

The export's search does the same to the graph: cross-layer equalization (Nagel et al. 2019, arXiv:1906.04721,
section 4.1) of what activations reach, as in SmoothQuant (Xiao et al. 2023, arXiv:2211.10438, equation 4), since each
output channel of a kernel has a scale of its own, and activations have one scale a tensor.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from edgeconv.training.batch_norm_folding import folded_weights
from edgeconv.training.quantized_tensors import Readers, activation_of

BATCH = 32

HEADROOM = 0.8
"""Share of the bound of a ReLU6 that a channel is scaled up to: what was not seen may be a quarter larger."""

LARGEST_FACTOR = 2.0**12
"""A channel that is all but dead must not become loud."""

_HOMOGENEOUS = {
    *("AveragePooling1D", "AveragePooling2D", "Dropout", "Flatten", "GlobalAveragePooling1D", "GlobalAveragePooling2D"),
    *("GlobalMaxPooling1D", "GlobalMaxPooling2D", "Identity", "MaxPooling1D", "MaxPooling2D", "SpatialDropout1D"),
    *("SpatialDropout2D", "ZeroPadding1D", "ZeroPadding2D"),
}
"""Layers that a positive factor of a channel passes through, channels last."""

_BOUNDS = {"linear": math.inf, "relu": math.inf, "relu6": 6.0}
"""Activations that it passes through up to a bound."""

_DEPTHWISE = layers.DepthwiseConv1D | layers.DepthwiseConv2D
_WEIGHTED = layers.Dense | layers.Conv1D | layers.Conv2D | _DEPTHWISE


@dataclass(frozen=True)
class Factors:
    """What the channels of one layer are multiplied by: its inputs and its outputs, float64, (channels,) or 1."""

    inputs: NDArray[np.float64]
    outputs: NDArray[np.float64]

    def applied(self, layer: Any, weights: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Return kernel and bias with these factors."""
        kernel, *bias = weights
        outputs = self.outputs[:, None] if isinstance(layer, _DEPTHWISE) else self.outputs
        scaled = [kernel * self.inputs[:, None] * outputs, *(each * self.outputs for each in bias)]
        return [each.astype(np.float32) for each in scaled]


NONE = Factors(np.ones(1), np.ones(1))


@dataclass(frozen=True)
class _Pair:
    first: Any
    second: Any
    between: Any
    bound: float


def equalizing_factors(network: Any, readers: Readers, norms: dict[int, Any], inputs: Any) -> dict[int, Factors]:
    """Return the factors of layers by their identity; with them the model answers to these inputs as before.

    Args:
        network: a functional model.
        readers: of its tensors.
        norms: the batch normalization that is folded into a layer, by the identity of the layer.
        inputs: some hundred, as `network.predict` takes them.
    """
    pairs = _pairs(readers, norms)
    if not pairs:
        return {}
    maxima = _maxima(keras.Model(network._inputs_struct, [pair.between for pair in pairs]), inputs)
    found: dict[int, Factors] = defaultdict(lambda: NONE)
    # Backwards: the outputs of the second layer are as they will be.
    for pair, largest in reversed(list(zip(pairs, maxima, strict=True))):
        norm = norms.get(id(pair.second))
        weights = pair.second.get_weights() if norm is None else folded_weights(pair.second, norm)
        kernel, *_ = found[id(pair.second)].applied(pair.second, weights)
        divisor = _divisor(largest, None if isinstance(pair.second, _DEPTHWISE) else _by_input(kernel), pair.bound)
        found[id(pair.first)] = Factors(found[id(pair.first)].inputs, 1.0 / divisor)
        whole = np.tile(divisor, kernel.shape[-2] // len(divisor))  # A flattened map has each channel many times.
        found[id(pair.second)] = Factors(whole, found[id(pair.second)].outputs)
    return dict(found)


def _pairs(readers: Readers, norms: dict[int, Any]) -> list[_Pair]:
    calls = [id(node.operation) for node in readers.nodes]
    found = []
    for node in readers.nodes:
        first, bound = node.operation, _BOUNDS.get(activation_of(node.operation).name)
        if not _is_plain(first) or bound is None or calls.count(id(first)) > 1:
            continue
        if id(first) in norms:
            node = readers.only(node)
        between = node
        while (reader := readers.only(node)) is not None and (passes := _passes(reader.operation)) is not None:
            bound, node = min(bound, passes), reader
            between = node if activation_of(reader.operation).alone else between
        if reader is not None and _is_plain(reader.operation) and calls.count(id(reader.operation)) == 1:
            found.append(_Pair(first, reader.operation, between.output_tensors[0], bound))
    return found


def _is_plain(layer: Any) -> bool:
    last = getattr(layer, "data_format", "channels_last") != "channels_first"
    once = getattr(layer, "groups", 1) == 1 if not isinstance(layer, _DEPTHWISE) else layer.depth_multiplier == 1
    return isinstance(layer, _WEIGHTED) and last and once


def _passes(layer: Any) -> float | None:
    """Return the bound of a layer that a positive factor of a channel passes through; None of any other."""
    activation = activation_of(layer)
    if activation.alone and activation.name in _BOUNDS:
        most = getattr(layer, "max_value", None)
        return _BOUNDS[activation.name] if most is None else float(most)
    last = getattr(layer, "data_format", "channels_last") != "channels_first"
    return math.inf if type(layer).__name__ in _HOMOGENEOUS and last else None


def _maxima(network: Any, inputs: Any) -> list[NDArray[np.float64]]:
    """Return the largest magnitude of each channel, for each output of a model."""
    count = len(keras.tree.flatten(inputs)[0])
    totals: list[NDArray[np.float64]] = []
    for start in range(0, count, BATCH):
        some = keras.tree.map_structure(lambda array, start=start: array[start : start + BATCH], inputs)
        made = [np.abs(np.asarray(each, np.float64)) for each in keras.tree.flatten(network(some, training=False))]
        found = [each.max(axis=tuple(range(each.ndim - 1))) for each in made]
        totals = [np.maximum(*each) for each in zip(totals, found, strict=True)] if totals else found
    return totals


def _by_input(kernel: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.abs(kernel).max(axis=(*range(kernel.ndim - 2), kernel.ndim - 1)))


def _divisor(largest: NDArray[Any], reading: NDArray[Any] | None, bound: float) -> NDArray[np.float64]:
    """Return what each channel is divided by.

    Args:
        largest: magnitude of each channel.
        reading: largest weight of the next layer for each of its inputs; None where each channel has a scale there.
        bound: a channel that comes near it stays as it is, and none is scaled beyond it.
    """
    if reading is None:
        wanted = largest.copy()
    else:
        wanted = np.sqrt(largest / np.maximum(reading.reshape(-1, len(largest)).max(axis=0), 1e-30))
    alive = (largest > 0) & (wanted > 0) & ((reading is None) | (wanted < LARGEST_FACTOR**2))
    free = alive & (largest < HEADROOM * bound)
    if not free.any():
        return np.ones_like(largest)
    if bound < math.inf:
        wanted *= (largest[free] / wanted[free]).max() / (HEADROOM * bound)
    else:
        wanted /= np.exp(np.median(np.log(wanted[free])))
    return np.clip(np.where(free, wanted, 1.0), 1 / LARGEST_FACTOR, LARGEST_FACTOR)
