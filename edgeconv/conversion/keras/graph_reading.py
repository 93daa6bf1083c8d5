"""What the signature of a SavedModel makes of a pixel and of an index, and its last activation: read from its graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgeconv.quiet import native_log_held_back
from edgeconv.scaling_layers import OPEN_SIDE, Scaling

ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "BiasAdd": "linear", "MatMul": "linear"}
"""Operators that end a network, with the last activation that they are or lack."""

SCALING = {"Add", "AddV2", "BiasAdd", "Div", "Mul", "Neg", "RealDiv", "Sub"}
"""Operators that scale where one operand comes from the input, and the other is a constant."""

MOVING = {
    *("Cast", "ExpandDims", "Identity", "MirrorPad", "Pad", "PadV2", "Reshape", "ResizeBicubic", "ResizeBilinear"),
    *("ResizeNearestNeighbor", "ReverseV2", "Squeeze", "StopGradient", "StridedSlice", "Transpose"),
}
"""Operators that leave values as they are, and only move or repeat them."""

IGNORED = {"Assert", "NoOp", "Rank", "Shape", "Size"}
"""Operators that make nothing of values."""


@dataclass(frozen=True)
class ServedGraph:
    """A signature of a SavedModel as one graph, without calls of functions.

    Attributes:
        graph: a `tf.Graph`, or None where TensorFlow cannot make one of it; then nothing is known.
        inputs, outputs: names of the tensors that are given and answered.
        constants: arrays that the signature captured, by the names of their tensors.
        rows: of the variables that it captured, by the names of their tensors.
    """

    graph: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: dict[str, Any]
    rows: dict[str, int]

    @classmethod
    def of(cls, signature: Any) -> ServedGraph:
        """Read a concrete function of a SavedModel."""
        import tensorflow as tf
        from tensorflow.python.framework import convert_to_constants

        captures = signature.captured_inputs
        given = [tensor.name for tensor in signature.inputs]
        captured = dict(zip(given[len(given) - len(captures) :], captures, strict=True))
        shapes = {id(each.handle): each.shape for each in signature.variables if hasattr(each, "handle")}
        rows = {name: shapes[id(outer)][0] for name, outer in captured.items() if len(shapes.get(id(outer), ()))}
        values = {name: outer for name, outer in captured.items() if outer.dtype not in {tf.resource, tf.variant}}
        try:
            with native_log_held_back(), tf.Graph().as_default() as graph:
                definition = convert_to_constants._run_inline_graph_optimization(signature, False, True)
                tf.import_graph_def(definition, name="")
        except Exception:  # Tables and old control flow raise what they like.
            graph = None
        inputs = tuple(name for name in given if name not in captured)
        outputs = tuple(tensor.name for tensor in signature.outputs)
        return cls(graph, inputs, outputs, {name: outer.numpy() for name, outer in values.items()}, rows)

    @property
    def activation(self) -> Any:
        """Keras' function of the last activation, or None where another operator makes the output, or several."""
        import keras

        if self.graph is None or len(self.outputs) != 1:
            return None
        operator = _maker(self.graph.get_tensor_by_name(self.outputs[0]))
        return None if operator.type not in ACTIVATIONS else keras.activations.get(ACTIVATIONS[operator.type])

    @property
    def smallest_table(self) -> int | None:
        """The least number of rows that are looked up among, or None."""
        operators = [] if self.graph is None else self.graph.get_operations()
        tables = [_maker(op.inputs[0]).outputs[0].name for op in operators if op.type == "ResourceGather"]
        return min((self.rows[name] for name in tables if name in self.rows), default=None)

    def scalings(self, state: Scaling) -> list[Scaling]:
        """Return what becomes of pixels before the first operators that compute, one for each branch.

        Args:
            state: what 0 and 255 are before the one input, (batch, height, width, channels).
        """
        import tensorflow as tf

        given = None if self.graph is None or len(self.inputs) != 1 else self.graph.get_tensor_by_name(self.inputs[0])
        if given is None or given.shape.rank != 4:
            return [state]
        reached = self._reached(given, state)
        sizes = [2, *(size or OPEN_SIDE for size in given.shape[1:])]
        pixels = np.broadcast_to(state.values.reshape(2, 1, 1, -1), sizes).astype(given.dtype.as_numpy_dtype)
        try:
            with tf.compat.v1.Session(graph=self.graph) as session:
                made = session.run(list(reached), {given.name: pixels, **self.constants})
        except tf.errors.OpError:  # It needs what was not captured, such as the state of a generator.
            return [state]
        ends = []
        for end, array in zip(reached.values(), made, strict=True):
            rows = np.asarray(array, np.float64).reshape(2, -1, array.shape[-1])
            ends.append(replace(end, values=np.stack([rows[0].min(axis=0), rows[1].max(axis=0)])))
        return ends

    def _reached(self, given: Any, state: Scaling) -> dict[str, Scaling]:
        """Return the names of the tensors that operators compute with, and the layers before and behind each."""
        reached: dict[str, Scaling] = {}

        def follow(tensor: Any, state: Scaling) -> None:
            for operator in tensor.consumers():
                others = [operand for operand in operator.inputs if operand is not tensor]
                layer = _layer(operator.name)
                if operator.type in SCALING and all(map(self._is_constant, others)):
                    names = tuple(dict.fromkeys((*state.layers, layer)))
                    follow(operator.outputs[0], replace(state, layers=names))
                elif operator.type in MOVING:
                    follow(operator.outputs[0], state)
                elif operator.type not in IGNORED:
                    reached[tensor.name] = replace(state, before=layer)

        follow(given, state)
        return reached

    def _is_constant(self, tensor: Any) -> bool:
        """Tell whether a tensor depends on constants alone: what depends on a variable was learnt, and computes."""
        seen, queue = set[str](), [tensor]
        while queue:
            tensor = queue.pop()
            if tensor.name in self.constants or tensor.name in seen:
                continue
            if tensor.op.type == "Placeholder" or "Variable" in tensor.op.type:
                return False
            seen.add(tensor.name)
            queue += tensor.op.inputs
        return True


def _maker(tensor: Any) -> Any:
    """Return the operator that makes a tensor, before those that only hand it on."""
    while tensor.op.type in {"Identity", "Reshape", "Squeeze"}:
        tensor = tensor.op.inputs[0]
    return tensor.op


def _layer(operator: str) -> str:
    """Return the name of the layer that an operator is of, or its own where it is of none."""
    parts = [part for part in operator.split("/") if "PartitionedCall" not in part]
    return parts[-2] if len(parts) > 1 else parts[-1]
