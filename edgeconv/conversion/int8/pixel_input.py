"""The way of the pixels into a graph that is quantized: the calibration wants float, the device has uint8.

The Cast from uint8 is taken off before quantization, and the pixels are put back after it. Where they go straight into
the first layer they are its int8 input themselves, with scale 1 and zero point 0, and nothing is lost on the way.
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx
import onnx_ir as ir

from edgeconv.conversion.graph.editing import nodes_of
from edgeconv.conversion.graph.qdq import DEQUANTIZE, QUANTIZE
from edgeconv.errors import UnsupportedModelError

LAYOUT_OPERATORS = {"Reshape", "Transpose", "Flatten"}
"""Operators that move values and leave them as they are."""


@dataclass(frozen=True)
class PixelPath:
    """How the pixels reach the first layer.

    Attributes:
        entry: the tensor with which they enter it, behind what only moves them; None where nodes scale them.
        scaling: names of the nodes before the layer, where nodes scale the pixels.
    """

    entry: str | None
    scaling: tuple[str, ...]


def take_off_cast(fp32: onnx.ModelProto) -> tuple[onnx.ModelProto, PixelPath]:
    """Return the model with a float input of the same values in place of uint8 and Cast, and the way of the pixels.

    Raises:
        UnsupportedModelError: the model does not read its pixels once, through a Cast.
    """
    model = onnx.ModelProto()
    model.CopyFrom(fp32)
    graph = model.graph
    pixels = graph.input[0]
    cast = _only_reader(graph, pixels.name)
    if cast is None or cast.op_type != "Cast":
        raise UnsupportedModelError(
            f"The model must read its pixels once, through a Cast. Received: {cast.op_type if cast else 'several'} "
            f"behind `{pixels.name}`. Export it without `--quantize`."
        )
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == cast.output[0]:
                node.input[place] = pixels.name
    graph.node.remove(cast)
    pixels.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    entry, scaling, scaled = pixels.name, [], False
    reader = _only_reader(graph, entry)
    while reader is not None and reader.op_type in LAYOUT_OPERATORS | {"Mul", "Add"}:
        scaled |= reader.op_type not in LAYOUT_OPERATORS
        scaling.append(reader.name)
        entry = reader.output[0]
        reader = _only_reader(graph, entry)
    if not scaled and reader is not None and reader.op_type in {"Conv", "Gemm"}:
        return model, PixelPath(entry, ())
    return model, PixelPath(None, tuple(scaling) if scaled else ())


def put_pixels_back(model: ir.Model, path: PixelPath, *, between_pairs: bool = False) -> None:
    """Give a quantized model its uint8 input again.

    Cases: the pixels enter the first layer, whose QuantizeLinear with scale 1 and zero point 0 answers the pixels
    themselves and goes; or they are scaled first, and the Cast comes back.

    Args:
        model: it is changed.
        path: of the pixels.
        between_pairs: what moves the pixels stands between a DequantizeLinear and that QuantizeLinear, which stays: an
            NPU takes no operator on bare integers.
    """
    pixels = model.graph.inputs[0]
    if path.entry is None:
        cast = ir.node("Cast", [pixels], {"to": int(ir.DataType.FLOAT)}, name="input/Cast")
        for node, place in [(use.node, use.idx) for use in pixels.uses() if use.node is not cast]:
            node.replace_input_with(place, cast.outputs[0])
        model.graph.insert_before(model.graph[0], cast)
    else:
        quantizer, source = _quantizer_of(model, path.entry)
        if between_pairs and source is not pixels:
            _dequantize(model, pixels, quantizer)
            pixels.type = ir.TensorType(ir.DataType.UINT8)
            return
        ir.convenience.replace_all_uses_with(quantizer.outputs[0], source)
        model.graph.remove(quantizer, safe=True)
    pixels.type = ir.TensorType(ir.DataType.UINT8)


def _dequantize(model: ir.Model, pixels: ir.Value, quantizer: ir.Node) -> None:
    """Let all readers of the pixels read them through a DequantizeLinear of the same scale and zero point."""
    readers = [(use.node, use.idx) for use in pixels.uses()]
    opposite = ir.node(DEQUANTIZE, [pixels, *quantizer.inputs[1:]], name=f"input/{DEQUANTIZE}")
    for node, place in readers:
        node.replace_input_with(place, opposite.outputs[0])
    model.graph.insert_before(model.graph[0], opposite)


def _quantizer_of(model: ir.Model, entry: str) -> tuple[ir.Node, ir.Value]:
    found = [
        (node, node.inputs[0])
        for node in nodes_of(model, QUANTIZE)
        if node.inputs[0] is not None and node.inputs[0].name == entry
    ]
    if len(found) != 1:
        raise UnsupportedModelError(
            f"The quantizer must quantize the pixels once. Received: {len(found)} QuantizeLinear behind `{entry}`. "
            "Export the model without `--quantize`."
        )
    return found[0]


def _only_reader(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    readers = [node for node in graph.node if name in node.input]
    return readers[0] if len(readers) == 1 else None
