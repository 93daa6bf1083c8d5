"""What a quantized graph states although ONNX has it as the default: small networks have more of it than of weights."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from edgeconv.conversion.graph.editing import constant, nodes_of
from edgeconv.conversion.graph.qdq import DEQUANTIZE, QDQ

_PER_AXIS = {"dilations": 1, "strides": 1, "pads": 0}
"""Attributes of convolutions and pools that are lists, and what each number is where there is no list."""


def leave_out_defaults(model: ir.Model) -> bool:
    """Take what changes nothing out of a quantized graph; return whether it is one. A float graph stays as it is.

    Cases: attributes that have their default value; and the zero points of biases, which are zeros in int32. Those of
    weights and activations stay, zeros too: ONNX Runtime fuses no operator without them.

    Args:
        model: changed in place.
    """
    if not any(node.op_type in QDQ and node.domain == "" for node in model.graph):
        return False
    for node in nodes_of(model, DEQUANTIZE):
        stored, zero_point = constant(node.inputs[0]), constant(node.inputs[2]) if len(node.inputs) > 2 else None
        if stored is not None and stored.dtype == "int32" and zero_point is not None and not zero_point.any():
            node.resize_inputs(2)
    for node in model.graph:
        if node.domain == "":
            defaults = _defaults_of(node.op_type, model.opset_imports[""])
            for name in [name for name, item in node.attributes.items() if _is_default(item, defaults)]:
                del node.attributes[name]
    return True


def share_zero_points(model: ir.Model) -> None:
    """Let activations read one constant of each zero point.

    Those of weights stay apart: ONNX Runtime cannot recode the int8 weights of two layers that share one, which it must
    do on processors without VNNI (see `runtime.processor`).

    Args:
        model: changed in place.
    """
    shared: dict[tuple[str, int], ir.Value] = {}
    for node in nodes_of(model, *QDQ):
        value = node.inputs[2] if len(node.inputs) > 2 else None
        point = constant(value)
        if value is not None and point is not None and point.ndim == 0 and constant(node.inputs[0]) is None:
            node.replace_input_with(2, shared.setdefault((str(point.dtype), int(point)), value))


def _is_default(item: ir.Attr, defaults: dict[str, object]) -> bool:
    if item.type == ir.AttributeType.INTS and item.name in _PER_AXIS:
        return set(item.as_ints()) == {_PER_AXIS[item.name]}
    return item.name in defaults and item.value == defaults[item.name]


def _defaults_of(operator: str, opset: int) -> dict[str, object]:
    """Return the values that the attributes of an operator have where they are left out."""
    attributes = onnx.defs.get_schema(operator, opset, "").attributes
    found = {
        name: onnx.helper.get_attribute_value(item.default_value)
        for name, item in attributes.items()
        if item.default_value.name
    }
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}
