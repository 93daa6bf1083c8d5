"""Cross-layer equalization: the channels between two layers are scaled so that both have an even range.

M. Nagel, M. van Baalen, T. Blankevoort, M. Welling, "Data-Free Quantization Through Weight Equalization and Bias
Correction", ICCV 2019, section 4.1. What lies between the layers must let a positive factor of a channel through,
f(s x) = s f(x): then the first layer's channel is divided by the factor, the second layer's input is multiplied by
it, and the float function stays. ReLU6, or a Clip with any upper bound, does not; with a bound of its own for each
channel it would be a Min that no int8 kernel fuses. Where the maxima of channels are known, a channel that stays below
the bound by `HEADROOM` is scaled up to there at most, so that the bound cuts what lies beyond all that was seen, as
int8 cuts it; a channel that reaches the bound stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray

from edgeconv.conversion.graph.editing import constant, infer_shapes, nodes_of, only_consumer, sizes
from edgeconv.conversion.int8.search.weights import OPERATORS, Weights, weights_of, with_weights

HOMOGENEOUS = frozenset(
    {"Relu", "LeakyRelu", "PRelu", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Identity"}
)
"""Operators that a positive factor of a channel passes through."""

SWEEPS = 60
"""Passes over all pairs; a chain of n layers needs some n, and the last change is looked at."""

SETTLED = 1e-3
"""Factors that change by less than this share change no int8 weight worth speaking of."""

HEADROOM = 0.8
"""Share of the bound of a Clip that a channel is scaled up to: what was not seen may be a quarter larger."""

LARGEST_FACTOR = 2.0**12
"""A channel that is all but dead must not become loud: beyond 12 bits there was nothing left of it in int8 anyway."""


@dataclass(frozen=True)
class Equalized:
    """A model with even channels.

    Attributes:
        model: the same function in float.
        pairs: names of the nodes of both layers, in the order of the graph.
    """

    model: onnx.ModelProto
    pairs: tuple[tuple[str, str], ...]


@dataclass
class _Pair:
    """Two layers, what has been found for the channels between them, and what lies there.

    Attributes:
        passage: what the channels pass through.
        divisor: float64, (channels,).
    """

    first: Weights
    second: Weights
    passage: _Passage
    divisor: NDArray[np.float64]


@dataclass(frozen=True)
class _Passage:
    """What a channel passes through: how many inputs of the next layer it becomes, and the bound that cuts it."""

    repeats: int = 1
    bound: float = math.inf

    def then(self, other: _Passage) -> _Passage:
        return _Passage(self.repeats * other.repeats, min(self.bound, other.bound))


def equalize(fp32: onnx.ModelProto, *, channel_maxima: Mapping[str, NDArray[Any]] | None = None) -> Equalized:
    """Even out the ranges of channels between layers.

    Args:
        fp32: the simplified model; stays as it is.
        channel_maxima: the largest magnitude of each channel behind a layer, by the name of its node. With them it is
            the range of the activations that is evened out against the next layer's weights, which is what pays where
            weights have a scale for each output channel (G. Xiao et al., "SmoothQuant", ICML 2023, equation 4 with
            alpha 0.5; a depthwise layer, whose weights then adapt for nothing, takes all of it). Without them it is
            the range of both layers' weights, for weights with one scale a tensor.

    Returns:
        The model, the same in float up to rounding, and the pairs.
    """
    pairs = _pairs(ir.from_proto(fp32), channel_maxima)
    spans = {id(side.node): np.abs(side.kernel).max(axis=3) for pair in pairs for side in (pair.first, pair.second)}
    for _ in range(SWEEPS):
        if max((_even_out(pair, spans, channel_maxima) for pair in pairs), default=0.0) < SETTLED:
            break
    changed: dict[str, dict[int, NDArray[np.float32]]] = {}
    for layer in {id(side.node): side for pair in pairs for side in (pair.first, pair.second)}.values():
        behind = (1.0 / pair.divisor for pair in pairs if pair.first.node is layer.node)
        before = (np.repeat(pair.divisor, pair.passage.repeats) for pair in pairs if pair.second.node is layer.node)
        outputs, inputs = next(behind, np.ones(layer.outputs)), next(before, np.ones(layer.inputs))
        changed[layer.node.outputs[0].name or ""] = layer.scaled(outputs, inputs)
    names = tuple((pair.first.node.name or "", pair.second.node.name or "") for pair in pairs)
    return Equalized(with_weights(fp32, changed), names)


def _pairs(model: ir.Model, maxima: Mapping[str, NDArray[Any]] | None) -> list[_Pair]:
    infer_shapes(model)
    found = []
    for node in nodes_of(model, *OPERATORS):
        first = weights_of(node)
        second = None if first is None else _next_layer(node)
        if first is None or second is None or (maxima is not None and node.name not in maxima):
            continue
        weights, passage = second
        bounded = passage.bound < math.inf and maxima is None
        if first.outputs * passage.repeats == weights.inputs and not bounded:
            found.append(_Pair(first, weights, passage, np.ones(first.outputs)))
    return found


def _next_layer(node: ir.Node) -> tuple[Weights, _Passage] | None:
    """Return the layer that alone reads what a layer makes, and what lies between."""
    value, passage = node.outputs[0], _Passage()
    while (reader := only_consumer(value)) is not None:
        if reader.op_type in OPERATORS:
            weights = weights_of(reader)
            return None if weights is None or reader.inputs[0] is not value else (weights, passage)
        step = _passage(reader, value)
        if step is None:
            return None
        passage = passage.then(step)
        value = reader.outputs[0]
    return None


def _passage(node: ir.Node, value: ir.Value) -> _Passage | None:
    """Return what a node does to a channel that is scaled by a positive factor, or None: it does not let it through.

    Cases: operators that are homogeneous; a Clip from 0 to a bound; what flattens maps, channels first.
    """
    if node.domain != "" or node.inputs[0] is not value or len(node.outputs) > 1:
        return None
    if node.op_type in HOMOGENEOUS:
        return _Passage()
    if node.op_type == "Clip":
        low, high = _bound(node, 1, -math.inf), _bound(node, 2, math.inf)
        passes = low == 0.0 or (low == -math.inf and high == math.inf)
        return _Passage(bound=high) if passes and high is not None and high > 0.0 else None
    if node.op_type in {"Flatten", "Reshape"}:
        before, after = sizes(value), sizes(node.outputs[0])
        if before is None or after is None or len(after) != 2 or len(before) < 2:
            return None
        maps = [size for size in before[2:] if isinstance(size, int)]
        count = math.prod(maps)
        whole = isinstance(before[1], int) and len(maps) == len(before) - 2 and after[1] == before[1] * count
        return _Passage(repeats=count) if whole else None
    return None


def _bound(node: ir.Node, place: int, absent: float) -> float | None:
    if len(node.inputs) <= place or node.inputs[place] is None:
        return absent
    found = constant(node.inputs[place])
    if found is None or found.size != 1:
        return None
    # The largest float32 is how some exporters write that there is no bound.
    number = float(found.item())
    return math.copysign(math.inf, number) if abs(number) >= float(np.finfo(np.float32).max) else number


def _even_out(pair: _Pair, spans: dict[int, NDArray[Any]], maxima: Mapping[str, NDArray[Any]] | None) -> float:
    """Scale the channels of one pair; return the largest change of a factor, as a share of it."""
    first, second = spans[id(pair.first.node)], spans[id(pair.second.node)]
    repeats, bound = pair.passage.repeats, pair.passage.bound
    there = second.max(axis=1).reshape(-1, repeats).max(axis=1)
    here = first.max(axis=2).ravel() if maxima is None else maxima[pair.first.node.name or ""] / pair.divisor
    alive = (here > 0) & (there > 0)
    if maxima is not None and pair.second.is_depthwise:
        there = np.ones_like(there)
    ratio = np.where(alive, here, 1.0) / np.where(alive, there, 1.0)
    wanted = pair.divisor * (ratio if maxima is not None and pair.second.is_depthwise else np.sqrt(ratio))
    # One factor for all channels together changes nothing in int8: the middle one stays as it was.
    wanted = wanted / np.exp(np.median(np.log(wanted[alive]))) if np.any(alive) else wanted
    wanted = np.clip(np.where(alive, wanted, 1.0), 1 / LARGEST_FACTOR, LARGEST_FACTOR)
    if bound < math.inf:
        wanted = _below(bound, wanted, here * pair.divisor)
    step = wanted / pair.divisor
    pair.divisor = wanted
    groups, outputs, _ = first.shape
    first /= step.reshape(groups, outputs, 1)
    second *= np.repeat(step, repeats).reshape(second.shape[0], 1, second.shape[2])
    return float(np.abs(step - 1.0).max(initial=0.0))


def _below(bound: float, divisor: NDArray[Any], maxima: NDArray[Any]) -> NDArray[Any]:
    """Return divisors with which the largest channel comes up to the bound, and those that reach it stay."""
    free = (maxima > 0) & (maxima < HEADROOM * bound)
    if not free.any():
        return np.ones_like(divisor)
    largest = float((maxima[free] / divisor[free]).max())
    return np.where(free, np.maximum(divisor * largest / (HEADROOM * bound), 1 / LARGEST_FACTOR), 1.0)
