"""From the fp32 graph to int8: static, QDQ, per-channel, with the pixels themselves as the first int8 tensor."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeconv.conversion.calibration import ImageReader
from edgeconv.conversion.cleaning import finish
from edgeconv.conversion.layer_names import layer_of_named
from edgeconv.conversion.pixel_input import PixelPath, put_pixels_back, take_off_cast
from edgeconv.errors import UnsupportedModelError
from edgeconv.quiet import errors_only

FLOAT_OPERATORS = {
    "Softmax": "probabilities in steps of 1/255 would lose the order of unlikely classes",
    "Sigmoid": "probabilities in steps of 1/255 would lose the order of unlikely classes",
}
"""Operators at the end of a classifier that stay in float, each with the reason."""


@dataclass(frozen=True)
class Quantized:
    """An int8 model and how it was made.

    Attributes:
        model: the QDQ model; its input is uint8 pixels.
        arguments: every argument given to the quantizer.
        float_nodes: nodes left in float, each with the reason.
    """

    model: onnx.ModelProto
    arguments: Mapping[str, Any]
    float_nodes: tuple[Mapping[str, str], ...]


def quantize_static_int8(fp32: onnx.ModelProto, images: NDArray[Any], *, batch: int | None = None) -> Quantized:
    """Quantize a classifier of pictures to int8.

    Weights are int8 per output channel; activations uint8 per tensor, on ranges measured over `images`; where the input
    is pixels it is the first int8 tensor, whose scale is 1 and whose zero point is 0, so that quantizing it loses
    nothing.

    Args:
        fp32: the verified fp32 model.
        images: what it eats, (n, height, width, channels): uint8 0-255 where that is pixels, else float32.
        batch: the only batch size that the model takes, or None.

    Returns:
        The int8 model and the record of how it was made.

    Raises:
        UnsupportedModelError: ONNX Runtime's quantizer cannot take the model.
    """
    eats_pixels = fp32.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    float_input, path = take_off_cast(fp32) if eats_pixels else (fp32, PixelPath(None, ()))
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch, errors_only(None):
        float_path, prepared_path, quantized_path = (
            Path(scratch) / f"{stage}.onnx" for stage in ("float", "prepared", "quantized")
        )
        try:
            onnx.save(float_input, float_path)
            quant_pre_process(str(float_path), str(prepared_path), skip_symbolic_shape=True)
            prepared = onnx.load(prepared_path)
            float_nodes = _float_nodes(prepared.graph, path)
            arguments = _arguments([node["node"] for node in float_nodes], path.entry)
            reader = ImageReader(images, fp32.graph.input[0].name, batch)
            quantize_static(str(prepared_path), str(quantized_path), reader, **arguments)
        except Exception as error:  # The quantizer raises whatever its handlers raise.
            raise UnsupportedModelError(
                "The model must consist of operators that ONNX Runtime's quantizer takes. "
                f"Received: {type(error).__name__}: {' '.join(str(error).split())}. Export it without `--quantize`."
            ) from error
        model = ir.from_proto(onnx.load(quantized_path))
    if eats_pixels:
        put_pixels_back(model, path)
    _leave_logits_in_float(model)
    return Quantized(finish(model, layer_of_named), _as_record(arguments), float_nodes)


def _float_nodes(graph: onnx.GraphProto, path: PixelPath) -> tuple[Mapping[str, str], ...]:
    """Return the nodes that stay in float: what scales the pixels, and the operator at the end."""
    reasons = dict.fromkeys(path.scaling, "pixels are scaled exactly, and quantized once, behind it")
    for node in graph.node:
        if node.op_type in FLOAT_OPERATORS and node.output[0] == graph.output[0].name:
            reasons[node.name] = FLOAT_OPERATORS[node.op_type]
    return tuple(
        {"node": node.name, "operator": node.op_type, "reason": reasons[node.name]}
        for node in graph.node
        if node.name in reasons
    )


def _arguments(float_nodes: list[str], entry: str | None) -> dict[str, Any]:
    """Return all arguments of `quantize_static`, spelled out: its defaults are S8S8, which is slow on x86."""
    pixels = {"quant_type": QuantType.QUInt8, "scale": np.array(1, np.float32), "zero_point": np.array(0, np.uint8)}
    return {
        "quant_format": QuantFormat.QDQ,
        "op_types_to_quantize": None,
        "per_channel": True,
        "reduce_range": False,
        "activation_type": QuantType.QUInt8,
        "weight_type": QuantType.QInt8,
        "nodes_to_quantize": None,
        "nodes_to_exclude": float_nodes,
        "use_external_data_format": False,
        "calibrate_method": CalibrationMethod.MinMax,
        "calibration_providers": ["CPUExecutionProvider"],
        "extra_options": {
            "ActivationSymmetric": False,
            "WeightSymmetric": True,
            "EnableSubgraph": False,
            "ForceQuantizeNoInputCheck": False,
            "MatMulConstBOnly": True,
            "AddQDQPairToWeight": False,
            "DedicatedQDQPair": False,
            "QuantizeBias": True,
            "CalibTensorRangeSymmetric": False,
            "CalibMovingAverage": False,
            **({"TensorQuantOverrides": {entry: [pixels]}} if entry else {}),
        },
    }


def _as_record(value: Any) -> Any:
    """Return quantizer arguments as JSON."""
    if isinstance(value, Mapping):
        return {str(key): _as_record(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_record(item) for item in value]
    if isinstance(value, QuantFormat | QuantType | CalibrationMethod):
        return value.name
    return value.item() if isinstance(value, np.ndarray) else value


def _leave_logits_in_float(model: ir.Model) -> None:
    """Take the 256 steps off what the float operator at the end reads: the int32 sums behind them are finer."""
    last = model.graph.outputs[0].producer()
    dequantizer = last.inputs[0].producer() if last and last.op_type in FLOAT_OPERATORS and last.inputs[0] else None
    quantizer = dequantizer.inputs[0].producer() if dequantizer and dequantizer.inputs[0] else None
    if last and quantizer and dequantizer and quantizer.op_type == "QuantizeLinear":
        last.replace_input_with(0, quantizer.inputs[0])
