"""GELU in float, and in the form that ONNX Runtime makes one operator of.

    gelu(x) = x / 2 * (1 + erf(x / sqrt 2))

It has no int8 kernel, and its parts would be rounded one after another.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnx_ir as ir

from edgeconv.conversion.graph.editing import add_constant, nodes_of, only_consumer, producer, scalar
from edgeconv.conversion.graph.layer_names import beside
from edgeconv.conversion.graph.qdq import before_pair

REASON = "GELU: ONNX Runtime has one operator for it, in float"

_TOLERANCE = 1e-5


def write_gelu(model: ir.Model) -> int:
    """Rewrite ``(0.5 x) * (1 - erf(-x / sqrt 2))``, as tf2onnx has it; return how many were found.

    Args:
        model: changed in place.
    """
    changed = 0
    for erf in nodes_of(model, "Erf"):
        scaled = producer(erf.inputs[0], "Mul")
        opposite = next(filter(None, (producer(value, "Neg") for value in scaled.inputs)), None) if scaled else None
        sub = only_consumer(erf.outputs[0])
        last = only_consumer(sub.outputs[0]) if sub is not None and sub.op_type == "Sub" else None
        if scaled is None or opposite is None or sub is None or last is None or last.op_type != "Mul":
            continue
        source, half = opposite.inputs[0], next(filter(None, (producer(value, "Mul") for value in last.inputs)), None)
        numbers = [_factor(scaled), scalar(sub.inputs[0], 9), None if half is None else _factor(half)]
        if source is None or half is None or source not in half.inputs or sub.inputs[1] is not erf.outputs[0]:
            continue
        if any(
            number is None or abs(number - wanted) > _TOLERANCE
            for number, wanted in zip(numbers, _NUMBERS, strict=True)
        ):
            continue
        root, one, two = (add_constant(model, np.array(number, np.float32)) for number in (math.sqrt(2.0), 1.0, 0.5))
        chain = [ir.node("Div", [source, root])]
        chain.append(ir.node("Erf", [chain[-1].outputs[0]]))
        chain.append(ir.node("Add", [chain[-1].outputs[0], one]))
        chain.append(ir.node("Mul", [source, chain[-1].outputs[0]]))
        chain.append(ir.node("Mul", [chain[-1].outputs[0], two]))
        for node in chain:
            node.name = beside(erf, node.op_type)
            node.outputs[0].type, node.outputs[0].shape = source.type, source.shape
        chain[-1].outputs[0].name = last.outputs[0].name
        model.graph.insert_before(last, chain)
        ir.convenience.replace_all_uses_with(last.outputs[0], chain[-1].outputs[0], replace_graph_outputs=True)
        changed += 1
    return changed


def read_sums_in_float(model: ir.Model) -> int:
    """Let GELU read what a layer makes before it is rounded; return how often.

    It is the same value in both places where GELU reads it: ONNX Runtime copies a DequantizeLinear for each, and would
    find no GELU.

    Args:
        model: a QDQ model; changed in place.
    """
    changed = 0
    for erf in nodes_of(model, "Erf"):
        scaled = producer(erf.inputs[0], "Div")
        read = scaled.inputs[0] if scaled is not None else None
        finer = before_pair(read)
        if read is None or finer is None:
            continue
        moved = finer.producer()
        if moved is not None and moved.op_type == "Reshape" and (sums := before_pair(moved.inputs[0])) is not None:
            moved.replace_input_with(0, sums)
        ir.convenience.replace_all_uses_with(read, finer)
        changed += 1
    return changed


_NUMBERS = (math.sqrt(0.5), 1.0, 0.5)


def _factor(node: ir.Node) -> float | None:
    found = [number for value in node.inputs if (number := scalar(value, 9)) is not None]
    return found[0] if len(found) == 1 else None


def gelus_in(graph: onnx.GraphProto) -> set[str]:
    """Return the names of the nodes of each GELU."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = set[str]()
    for node in graph.node:
        if node.op_type == "Erf" and (scaled := makers.get(node.input[0])) is not None and scaled.op_type == "Div":
            chain = [scaled, node]
            while len(chain) < 5 and len(behind := readers.get(chain[-1].output[0], [])) == 1:
                chain.append(behind[0])
            if [item.op_type for item in chain] == ["Div", "Erf", "Add", "Mul", "Mul"]:
                found |= {item.name for item in chain}
    return found
