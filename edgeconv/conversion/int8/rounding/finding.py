"""Roundings of all layers, one after the other, each on what the layers before it give once they are rounded.

What a layer is to give is its float product with its float inputs; what it has are the inputs that int8 leaves of
them, and whole steps. First its weights are moved to where they make up for those inputs best (least squares), and its
bias to where the mean comes out right; then the weights are rounded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.numpy_helper import from_array, to_array

from edgeconv.conversion.graph.qdq import dequantizers
from edgeconv.conversion.int8.cache import Cache
from edgeconv.conversion.int8.rounding.grid import Grid
from edgeconv.conversion.int8.rounding.reconstruction import reconstruct
from edgeconv.conversion.int8.rounding.rows import OPERATORS, Layout, Rows
from edgeconv.conversion.int8.rounding.sampling import sample_rows
from edgeconv.conversion.int8.search.weights import reads, with_weights
from edgeconv.parity.comparison import Feeds
from edgeconv.progress import SILENT, Progress

Batches = Callable[[], Iterable[Feeds]]

STORE_EVERY_S = 30.0
"""Seconds of work that an interruption may lose."""

_STAGE = "roundings"

Rounded = Mapping[int, NDArray[np.float32]]
"""Constants of a layer by their place among its inputs, as `with_weights` takes them."""

Roundings = Mapping[str, Rounded]
"""By the name of a layer's node: weights on the grid of their scales, and a bias where there was one."""


def find_roundings(
    fp32: onnx.ModelProto,
    quantized: onnx.ModelProto,
    batches: Batches,
    *,
    store: Cache,
    progress: Progress = SILENT,
) -> Roundings:
    """Round the weights of the int8 layers by what comes out of them.

    Every layer takes a run of both models up to there over some samples, half a run each in the mean. Memory holds a
    batch, one layer's rows and its Gram matrix.

    Args:
        fp32: the prepared float model, whose layers have biases where they can: see `with_biases`.
        quantized: the same in QDQ form, each weight to its nearest step; stays as it is.
        batches: starts the calibration samples anew, a batch at a time.
        store: keeps what is found now and then, and at the end; what it has is not looked for again.
        progress: sees a bar of layers.

    Returns:
        Weights of which the quantizer finds just the scales again that it has found before, and biases.
    """
    rounded = onnx.ModelProto()
    rounded.CopyFrom(quantized)
    layers = list(_layers(fp32, rounded))
    results, stored = _loaded(store), time.monotonic()
    if all(layer.name in results for layer in layers):
        return results
    with progress.bar("Rounding weights", len(layers)) as advance:
        for number, layer in enumerate(layers):
            if layer.name not in results:
                given = sample_rows(fp32, layer.layout, layer.layout.node.input[0], batches(), number)
                received = sample_rows(rounded, layer.layout, layer.int8_node.input[0], batches(), number)
                results[layer.name] = layer.rounded(given, received)
                if time.monotonic() - stored > STORE_EVERY_S or number == len(layers) - 1:
                    _keep(store, results)
                    stored = time.monotonic()
            _write(rounded, layer, results[layer.name])
            advance(1, layer.name)
    return results


def with_roundings(fp32: onnx.ModelProto, roundings: Roundings) -> onnx.ModelProto:
    """Return a float model with rounded weights, ready to be quantized on the ranges it had before."""
    outputs = {node.name: node.output[0] for node in fp32.graph.node}
    return with_weights(fp32, {outputs[name]: constants for name, constants in roundings.items()})


@dataclass(frozen=True)
class _Layer:
    """A layer in both models.

    Attributes:
        layout: of its weights.
        grid: the weights, and the steps that int8 has for them.
        bias: float32, (outputs,); None where it has none.
        int8_node: the same layer in the QDQ model.
    """

    layout: Layout
    grid: Grid
    bias: NDArray[np.float32] | None
    int8_node: onnx.NodeProto

    @property
    def name(self) -> str:
        return str(self.layout.node.name)

    def rounded(self, given: Rows, received: Rows) -> Rounded:
        """Return constants that make of received rows what the float ones make of given rows, as far as they can."""
        exact, scale, pinned = (
            self.layout.as_rows(each) for each in (self.grid.weights, self.grid.scales, self.grid.pinned)
        )
        steps, shift = reconstruct(
            exact, scale, pinned, self.grid.highest, given, received, centred=self.bias is not None
        )
        constants = {1: self.grid.as_float(self.layout.as_stored(steps))}
        if self.bias is not None:
            constants[2] = (self.bias + shift).astype(np.float32)
        return constants


def _layers(fp32: onnx.ModelProto, quantized: onnx.ModelProto) -> Iterator[_Layer]:
    """Yield the layers that are int8, whose weights are constants of their own, in the order of the graph."""
    int8_nodes = {node.name: node for node in quantized.graph.node if node.op_type in OPERATORS}
    stored = {tensor.name: tensor for tensor in fp32.graph.initializer}
    integers = {tensor.name: tensor for tensor in quantized.graph.initializer}
    readers = Counter(name for node in fp32.graph.node for name in reads(node))
    behind = dequantizers(quantized.graph.node)
    for node in fp32.graph.node:
        twin = int8_nodes.get(node.name)
        dequantizer = behind.get(twin.input[1]) if twin is not None else None
        if twin is None or dequantizer is None or dequantizer.input[0] not in integers:
            continue
        if node.input[1] not in stored or readers[node.input[1]] > 1:
            continue
        weights = to_array(stored[node.input[1]])
        scale = to_array(integers[dequantizer.input[1]])
        if scale.size > 1:
            shape = [1] * weights.ndim
            shape[next((item.i for item in dequantizer.attribute if item.name == "axis"), 1)] = -1
            scale = scale.reshape(shape)
        bias = to_array(stored[node.input[2]]) if len(node.input) > 2 else None
        yield _Layer(Layout(node, weights.shape), Grid(weights, scale), None if bias is None else bias.ravel(), twin)


def _write(quantized: onnx.ModelProto, layer: _Layer, constants: Rounded) -> None:
    """Put rounded constants into a QDQ model in place, in the steps that it has there."""
    stored = {tensor.name: tensor for tensor in quantized.graph.initializer}
    behind = dequantizers(quantized.graph.node)
    for place, array in constants.items():
        dequantizer = behind.get(layer.int8_node.input[place])
        tensor = stored[layer.int8_node.input[place] if dequantizer is None else dequantizer.input[0]]
        before = to_array(tensor)
        values = array.reshape(before.shape)
        if dequantizer is not None:
            scale = layer.grid.scale if place == 1 else to_array(stored[dequantizer.input[1]])
            values = np.rint(values / scale.astype(np.float64))
        tensor.CopyFrom(from_array(values.astype(before.dtype), tensor.name))


def _loaded(store: Cache) -> dict[str, Rounded]:
    found: dict[str, dict[int, NDArray[np.float32]]] = {}
    for key, array in (store.load(_STAGE) or {}).items():
        place, _, name = key.partition(":")
        found.setdefault(name, {})[int(place)] = array
    return dict(found)


def _keep(store: Cache, roundings: Roundings) -> None:
    arrays = {f"{place}:{name}": array for name, found in roundings.items() for place, array in found.items()}
    store.store(_STAGE, arrays)
