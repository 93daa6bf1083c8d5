"""Weights of all channels at once: ONNX Runtime's quantizer goes through them one by one, seconds for a ResNet50.

Until its `QDQQuantizer._calc_initializer_quant_params` and `quantize_onnx_initializer` (seen in 1.32) work on whole
arrays: then `ChannelQuantizer` is `QDQQuantizer`, and this file goes. The numbers are the same to the bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import qdq_quantizer
from onnxruntime.quantization.base_quantizer import QuantizationParams
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import TENSOR_NAME_QUANT_SUFFIX

_LEVELS = {False: 254.0, True: 128.0}
"""Steps from the lowest to the highest weight, -127 to 127, and with a reduced range -64 to 64."""


class ChannelQuantizer(QDQQuantizer):  # type: ignore[misc]  # ONNX Runtime ships no types.
    """ONNX Runtime's QDQ quantizer with int8 weights per channel computed as arrays."""

    tensors_to_quantize: dict[str, Any]

    def quantize_model(self) -> onnx.ModelProto:
        """Put Q and DQ into the model, and return it."""
        qdq_quantizer.quantize_onnx_initializer = _quantize_initializer
        try:
            quantized: onnx.ModelProto = super().quantize_model()
        finally:
            qdq_quantizer.quantize_onnx_initializer = _one_by_one
        return quantized

    def _calc_initializer_quant_params(self) -> dict[str, Any]:
        wanted = self.tensors_to_quantize
        channels = {name: info.axis for name, info in wanted.items() if info.axis is not None}
        self.tensors_to_quantize = {name: info for name, info in wanted.items() if name not in channels}
        try:
            found: dict[str, Any] = super()._calc_initializer_quant_params()
        finally:
            self.tensors_to_quantize = wanted
        for name, axis in channels.items():
            scales = _scales(onnx.numpy_helper.to_array(self.initializers[name]), axis, reduced=self.reduce_range)
            zeros = np.zeros(len(scales), np.int8)
            found[name] = QuantizationParams(
                zero_point=zeros, scale=scales, quant_type=onnx.TensorProto.INT8, axis=axis
            )
        return found


def _scales(weights: NDArray[np.float32], axis: int, *, reduced: bool) -> NDArray[np.float32]:
    """Return the scale of each channel: float32, (channels,); 1 where a channel is all zeros."""
    largest = np.abs(np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)).max(axis=1).astype(np.float64)
    scales = 2 * largest / _LEVELS[reduced]
    return np.where(scales < np.finfo(np.float32).tiny, 1.0, scales).astype(np.float32)


_one_by_one = qdq_quantizer.quantize_onnx_initializer


def _quantize_initializer(
    weight: onnx.TensorProto,
    quant_type: int,
    zero_point: NDArray[Any],
    scale: NDArray[Any],
    axis: int | None = None,
    *args: Any,
    **options: Any,
) -> onnx.TensorProto:
    if axis is None or quant_type != onnx.TensorProto.INT8 or args or options.get("block_size"):
        one: onnx.TensorProto = _one_by_one(weight, quant_type, zero_point, scale, axis, *args, **options)
        return one
    values = onnx.numpy_helper.to_array(weight)
    shape = [1] * values.ndim
    shape[axis] = -1
    steps = np.rint(values / scale.reshape(shape)) + zero_point.reshape(shape)
    name = options.get("quant_weight_name") or weight.name + TENSOR_NAME_QUANT_SUFFIX
    return onnx.numpy_helper.from_array(np.clip(steps, -128, 127).astype(np.int8), name)
