"""Zeros around a map, left to the convolution that reads it."""

from __future__ import annotations

import onnx_ir as ir

from edgeconv.conversion.graph.editing import (
    attribute,
    constant,
    constant_floats,
    drop,
    nodes_of,
    only_consumer,
    sizes,
)


def fold_pads(model: ir.Model) -> int:
    """Move a Pad with zeros into the `pads` of the Conv that alone reads it; return how many moved."""
    moved = 0
    for node in nodes_of(model, "Pad"):
        conv, amounts = only_consumer(node.outputs[0]), constant(node.inputs[1])
        shape = sizes(node.inputs[0])
        if conv is None or conv.op_type != "Conv" or amounts is None or shape is None or node.inputs[0] is None:
            continue
        axes = len(shape)
        value = constant_floats(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] is not None else None
        zero = len(node.inputs) < 3 or node.inputs[2] is None or (value is not None and not value.any())
        explicit = attribute(conv, "auto_pad", "NOTSET") in {"NOTSET", "VALID"}
        if not zero or not explicit or attribute(node, "mode", "constant") != "constant" or len(amounts) != 2 * axes:
            continue
        if len(node.inputs) > 3 or any(amounts[[0, 1, axes, axes + 1]]) or (amounts < 0).any():
            continue
        old = attribute(conv, "pads", (0,) * (2 * (axes - 2)))
        old = (0,) * (2 * (axes - 2)) if attribute(conv, "auto_pad", "NOTSET") == "VALID" else old
        added = [int(amount) for amount in (*amounts[2:axes], *amounts[axes + 2 :])]
        conv.attributes["pads"] = ir.AttrInt64s("pads", [a + b for a, b in zip(old, added, strict=True)])
        conv.attributes.pop("auto_pad", None)
        moved += drop(model, node, node.inputs[0])
    return moved
