"""The opset that weights of 4 bits need, for models that were made at an older one."""

from __future__ import annotations

import onnx
from onnx import version_converter

from edgeconv.conversion.graph.runtimes import STANDARD_DOMAINS
from edgeconv.errors import UnsupportedModelError, one_line

OPSET, IR_VERSION = 21, 10
"""The first with int4, and with a DequantizeLinear whose scales hold for blocks."""


def with_int4(fp32: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model at an opset that has int4; the same one where it is.

    Raises:
        UnsupportedModelError: ONNX has no way to bring one of its operators there.
    """
    if next(entry.version for entry in fp32.opset_import if entry.domain in STANDARD_DOMAINS) >= OPSET:
        return fp32
    try:
        model: onnx.ModelProto = version_converter.convert_version(fp32, OPSET)
    except Exception as error:  # The converter raises whatever its adapters raise.
        raise UnsupportedModelError(
            f"Weights of 4 bits require opset {OPSET}. Received: a model that cannot be brought there: "
            f"{one_line(error)}. Export it with `--int8-weights` instead."
        ) from error
    model.ir_version = max(fp32.ir_version, IR_VERSION)
    return model
