"""From a prepared float graph and ranges to int8: QDQ, as often as one likes, without another look at the images."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnxruntime.quantization import QuantFormat, QuantType
from onnxruntime.quantization.calibrate import TensorData
from onnxruntime.quantization.quant_utils import load_model_with_shape_infer
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry
from onnxruntime.quantization.shape_inference import quant_pre_process

from edgeconv.conversion.graph.layer_names import layer_of_named
from edgeconv.conversion.graph.qdq import before_pair
from edgeconv.conversion.graph.simplify import finish
from edgeconv.conversion.int8.channel_weights import ChannelQuantizer
from edgeconv.conversion.int8.dense import leave_answers_in_float, weights_of_one_scale
from edgeconv.conversion.int8.float_nodes import float_nodes_of
from edgeconv.conversion.int8.float_weights import store_in_8_bits
from edgeconv.conversion.int8.gelu import read_sums_in_float
from edgeconv.conversion.int8.hard_sigmoids import add_up_hard_sigmoids
from edgeconv.conversion.int8.offset_pixels import let_pixels_in
from edgeconv.conversion.int8.pads import pad_integers
from edgeconv.conversion.int8.pixel_input import PixelPath, put_pixels_back, take_off_cast
from edgeconv.conversion.int8.ranges import TRAINED, Ranges
from edgeconv.conversion.int8.residuals import keep_sums_in_float
from edgeconv.conversion.int8.sequences import with_rows
from edgeconv.conversion.int8.targets import END_OPERATORS, QuantizationScheme
from edgeconv.errors import UnsupportedModelError, one_line
from edgeconv.manifest_blocks import FloatNode, Quantization
from edgeconv.parity.comparison import Feeds
from edgeconv.quiet import errors_only

WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
"""Operators whose products int8 speeds up."""

_TYPES = {"uint8": (QuantType.QUInt8, np.uint8), "int8": (QuantType.QInt8, np.int8)}


@dataclass(frozen=True)
class Prepared:
    """A float graph that is ready to be measured and quantized: optimised, with shapes, and pixels as a float input.

    Attributes:
        model: the graph; activations keep its tensor names, layers the names of its nodes, ``layer/Operator``.
        path: the way of the pixels.
        takes_pixels: the int8 model takes uint8 pixels.
    """

    model: onnx.ModelProto
    path: PixelPath
    takes_pixels: bool

    def taken(self, feeds: Feeds) -> dict[str, NDArray[Any]]:
        """Return arrays by input as the graph takes them: pixels as float32, whole numbers as they are."""
        floats = {
            put.name for put in self.model.graph.input if put.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        }
        return {name: array.astype(np.float32) if name in floats else array for name, array in feeds.items()}

    @property
    def batch(self) -> int | None:
        """The only batch size that the graph takes, or None."""
        shape = self.model.graph.input[0].type.tensor_type.shape
        return int(shape.dim[0].dim_value) or None if shape.dim else None

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers with weights, in the order of the graph."""
        return tuple(dict.fromkeys(self.layer_of(node) for node in self.model.graph.node if node.op_type in WEIGHTED))

    def layer_of(self, node: onnx.NodeProto) -> str:
        """Return what a node is called where layers return to float: its layer, or itself where that is all there is.

        A SavedModel knows no layers: one name holds the whole network.
        """
        layer = layer_of_named(node.name)
        return node.name if layer is None or layer == self._whole else layer

    @cached_property
    def _whole(self) -> str | None:
        """The layer that all nodes with weights belong to, of several such nodes."""
        names = [layer_of_named(node.name) for node in self.model.graph.node if node.op_type in WEIGHTED]
        return names[0] if len(names) > 1 and len(set(names)) == 1 else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the graph, hexadecimal."""
        return hashlib.sha256(self.model.SerializeToString(deterministic=True)).hexdigest()


@dataclass(frozen=True)
class Quantized:
    """An int8 model and how it was made.

    Attributes:
        model: the QDQ model; pixels are uint8 again.
        arguments: every argument given to the quantizer.
        float_nodes: nodes left in float, each with the reason.
        plain: the model as it was before a first convolution was taken in blocks, whose tensors are those of layers.
    """

    model: onnx.ModelProto
    arguments: Quantization
    float_nodes: tuple[FloatNode, ...]
    plain: onnx.ModelProto | None = None


def prepare(fp32: onnx.ModelProto) -> Prepared:
    """Return a float graph ready to be measured and quantized.

    Args:
        fp32: the verified fp32 model; not changed.

    Raises:
        UnsupportedModelError: ONNX Runtime cannot take the model, or it does not read its pixels once, through a Cast.
    """
    takes_pixels = fp32.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    fp32 = with_rows(fp32)
    float_input, path = take_off_cast(fp32) if takes_pixels else (fp32, PixelPath(None, ()))
    with tempfile.TemporaryDirectory(prefix="edgeconv-") as scratch, errors_only(None):
        float_path, prepared_path = Path(scratch) / "float.onnx", Path(scratch) / "prepared.onnx"
        try:
            onnx.save(float_input, float_path)
            quant_pre_process(str(float_path), str(prepared_path), skip_symbolic_shape=True)
            return Prepared(load_model_with_shape_infer(prepared_path), path, takes_pixels)
        except Exception as error:  # The quantizer raises whatever its handlers raise.
            raise _unsupported(error) from error


def quantize(
    prepared: Prepared,
    ranges: Ranges,
    scheme: QuantizationScheme,
    *,
    float_layers: Collection[str] | Mapping[str, str] = (),
    method: str = "minmax",
) -> Quantized:
    """Quantize a prepared graph; to change its weights first, pass `dataclasses.replace(prepared, model=changed)`.

    Weights are int8 per output channel; activations have one scale a tensor. Where the input is pixels it is the first
    int8 tensor: as it is where activations are uint8, whose scale is 1 and whose zero point is 0, else behind a Cast.

    Args:
        prepared: see `prepare`; not changed.
        ranges: see `ranges_of`.
        scheme: of the target.
        float_layers: layers or nodes left in float, with the reason where it is a mapping.
        method: how the ranges were found, for the record.

    Returns:
        The int8 model and the record of how it was made; equal for equal arguments.

    Raises:
        ConfigError: a layer has an unknown name.
        UnsupportedModelError: ONNX Runtime's quantizer cannot take the model.
    """
    float_nodes = float_nodes_of(prepared, scheme, float_layers)
    excluded = [node.node for node in float_nodes]
    path = _path_of(prepared, excluded)
    cpu = scheme.blocks and method != TRAINED  # Weights and answers of such a model were trained with their steps.
    one_scale = weights_of_one_scale(prepared.model) if cpu and scheme.per_channel else []
    arguments = _arguments(scheme, excluded, path.entry, method, one_scale)
    try:
        with errors_only(None):
            model = ir.from_proto(_with_qdq(prepared.model, ranges, arguments))
    except Exception as error:  # The quantizer raises whatever its handlers raise.
        raise _unsupported(error) from error
    if prepared.takes_pixels:
        exact = scheme.activation_type == "uint8" and scheme.pixels == (1.0, 0)
        put_pixels_back(model, path if exact else PixelPath(None, path.scaling), between_pairs=scheme.between_pairs)
        if cpu and let_pixels_in(model, path.scaling):
            float_nodes = tuple(told for told in float_nodes if told.node not in path.scaling)
    if scheme.inputs_only:
        keep_sums_in_float(model)
    else:
        add_up_hard_sigmoids(model, excluded)
    if not scheme.between_pairs:
        _leave_logits_in_float(model)
        read_sums_in_float(model)
    if scheme.blocks:
        pad_integers(model)
    if cpu:
        leave_answers_in_float(model)
    finished = finish(model, layer_of_named)
    if not scheme.inputs_only:  # TensorRT takes such weights as floats.
        finished, float_nodes = store_in_8_bits(finished, float_nodes)
    return Quantized(finished, Quantization(**_as_record(arguments)), float_nodes)


def _path_of(prepared: Prepared, excluded: list[str]) -> PixelPath:
    """Return the way of the pixels; where their first layer stays in float they enter as float, through a Cast."""
    entry = prepared.path.entry
    readers = [node for node in prepared.model.graph.node if entry in node.input]
    return PixelPath(None, ()) if any(node.name in excluded for node in readers) else prepared.path


def _arguments(
    scheme: QuantizationScheme, excluded: list[str], entry: str | None, method: str, one_scale: list[str]
) -> dict[str, Any]:
    """Return all arguments of `quantize_static`, spelled out: its defaults are S8S8, which is slow on x86."""
    activation_type, pixel_type = _TYPES[scheme.activation_type]
    scale, zero_point = scheme.pixels
    pixels = {
        "quant_type": activation_type,
        "scale": np.array(scale, np.float32),
        "zero_point": np.array(zero_point, pixel_type),
    }
    weights = {"quant_type": _TYPES[scheme.weight_type][0], "symmetric": True, "reduce_range": scheme.reduce_range}
    overrides = {**({entry: [pixels]} if entry else {}), **{name: [weights] for name in one_scale}}
    return {
        "quant_format": QuantFormat.QDQ,
        "op_types_to_quantize": list(scheme.operators) or None,
        "per_channel": scheme.per_channel,
        "reduce_range": scheme.reduce_range,
        "activation_type": activation_type,
        "weight_type": _TYPES[scheme.weight_type][0],
        "nodes_to_quantize": None,
        "nodes_to_exclude": excluded,
        "use_external_data_format": False,
        "calibrate_method": method,
        "calibration_providers": ["CPUExecutionProvider"],
        "extra_options": {
            "ActivationSymmetric": scheme.activation_symmetric,
            "WeightSymmetric": scheme.weight_symmetric,
            "EnableSubgraph": False,
            "ForceQuantizeNoInputCheck": False,
            "MatMulConstBOnly": True,
            "AddQDQPairToWeight": False,
            "DedicatedQDQPair": scheme.inputs_only,
            "QuantizeBias": not scheme.inputs_only,
            "OpTypesToExcludeOutputQuantization": list(scheme.operators) if scheme.inputs_only else [],
            **({"TensorQuantOverrides": overrides} if overrides else {}),
        },
    }


def _with_qdq(prepared: onnx.ModelProto, ranges: Ranges, arguments: Mapping[str, Any]) -> onnx.ModelProto:
    """Run ONNX Runtime's quantizer on a copy, as `quantize_static` does once it has the ranges."""
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    quantizer = ChannelQuantizer(
        model,
        arguments["per_channel"],
        arguments["reduce_range"],
        arguments["weight_type"],
        arguments["activation_type"],
        {
            name: TensorData(lowest=np.array(low, np.float32), highest=np.array(high, np.float32))
            for name, (low, high) in ranges.items()
        },
        arguments["nodes_to_quantize"],
        arguments["nodes_to_exclude"],
        arguments["op_types_to_quantize"] or sorted({*QLinearOpsRegistry, *QDQRegistry}),
        arguments["extra_options"],
    )
    return quantizer.quantize_model()


def _leave_logits_in_float(model: ir.Model) -> None:
    """Take the 256 steps off what a float operator at the end reads: the int32 sums behind them are finer."""
    for output in model.graph.outputs:
        last = output.producer()
        finer = before_pair(last.inputs[0]) if last is not None and last.op_type in END_OPERATORS else None
        if last is not None and finer is not None:
            last.replace_input_with(0, finer)


def _as_record(value: Any) -> Any:
    """Return quantizer arguments as JSON, with tuples for lists."""
    if isinstance(value, Mapping):
        return {str(key): _as_record(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_as_record(item) for item in value)
    if isinstance(value, QuantFormat | QuantType):
        return value.name
    return value.item() if isinstance(value, np.ndarray) else value


def _unsupported(error: Exception) -> UnsupportedModelError:
    return UnsupportedModelError(
        "The model must consist of operators that ONNX Runtime's quantizer takes. "
        f"Received: {type(error).__name__}: {one_line(error)}. Export it without `--quantize`."
    )
