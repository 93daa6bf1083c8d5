"""Recurrent operators by themselves: tf2onnx computes states of zeros for them, and cuts the last state out of all."""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import attribute, constant, nodes_of, only_consumer, replace

_INITIAL_STATES = (5, 6)
"""Places of the inputs `initial_h` and, of an LSTM, `initial_c`."""


def start_from_zeros(model: ir.Model) -> int:
    """Leave out states of a recurrent operator that are zeros, the default; return how many."""
    changed = 0
    for node in nodes_of(model, "GRU", "LSTM", "RNN"):
        for place in _INITIAL_STATES:
            if len(node.inputs) > place and node.inputs[place] is not None and _is_zero(node.inputs[place]):
                node.replace_input_with(place, None)
                changed += 1
        while node.inputs[-1] is None:
            node.resize_inputs(len(node.inputs) - 1)
    return changed


def take_last_state(model: ir.Model) -> int:
    """Read the last state where it is cut out of the states of all steps; return how often.

    Cases: one direction, forward, and no lengths of sequences: padded steps would have states of zeros.
    """
    changed = 0
    for node in nodes_of(model, "GRU", "LSTM", "RNN"):
        lengths = node.inputs[4] if len(node.inputs) > 4 else None
        if lengths is not None or attribute(node, "direction", "forward") != "forward":
            continue
        for squeeze in [use.node for use in node.outputs[0].uses()]:
            for cut in [use.node for use in squeeze.outputs[0].uses()] if _drops(squeeze, axis=1) else ():
                last = only_consumer(cut.outputs[0])
                if last is None or not _is_last_step(cut) or not _drops(last, axis=0):
                    continue
                if len(node.outputs) < 2:
                    node.resize_outputs(2)
                    node.outputs[1].name = f"{node.outputs[0].name}/last"  # What has no name is taken for unused.
                state = ir.node("Squeeze", [node.outputs[1], last.inputs[1]])
                replace(model, [cut, last], state)
                changed += 1
    return changed


def _is_zero(value: ir.Value | None) -> bool:
    """Whether a value is zeros, whatever its shape is computed from."""
    array, node = constant(value), value.producer() if value is not None else None
    if array is not None:
        return not array.any()
    if node is None or node.domain != "":
        return False
    if node.op_type == "Concat":
        return all(map(_is_zero, node.inputs))
    return node.op_type in {"Expand", "Unsqueeze", "Reshape", "Squeeze"} and _is_zero(node.inputs[0])


def _drops(node: ir.Node, axis: int) -> bool:
    axes = constant(node.inputs[1]) if node.op_type == "Squeeze" and len(node.inputs) > 1 else None
    return axes is not None and axes.tolist() == [axis]


def _is_last_step(node: ir.Node) -> bool:
    if node.op_type != "Slice" or len(node.inputs) < 4:
        return False
    found = [constant(value) for value in node.inputs[1:]]
    start, end, axis, *step = [None if array is None else array.tolist() for array in found]
    return start == [-1] and axis == [0] and end is not None and end[0] >= 2**31 - 1 and step in ([], [[1]])
