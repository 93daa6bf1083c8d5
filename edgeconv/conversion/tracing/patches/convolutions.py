"""Convolutions in groups, of any dimensions and data format, and transposed ones with larger outputs.

tf2onnx counts the groups only in the data formats `NHWC` and `NCHW`, and takes 1 for `NDHWC`, `NCDHW` and wherever
TensorFlow does not know the number of channels. The number of groups is the input's channels over the kernel's.
Of a transposed convolution whose output is larger than its kernels reach, which Keras' `output_padding` and strides
longer than the kernel make, tf2onnx writes negative pads; ONNX has `output_padding` for it.

These are no handlers: tf2onnx's rewriters call its own handler of Conv2D, and would fail at another in half-done work.

Upstream: https://github.com/onnx/tensorflow-onnx/issues/2099 (groups); none yet (pads).
Goes when tf2onnx counts the groups in every data format, and writes `output_padding`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.patches.replacing import replaced
from edgeconv.errors import UnsupportedModelError


@contextmanager
def groups_counted() -> Iterator[None]:
    """Count the groups of every convolution that tf2onnx converts while the block runs."""
    from tf2onnx.onnx_opset.nn import ConvOp

    original = ConvOp.__dict__["any_version"]

    def any_version(handler: Any, /, opset: int, graph: Any, node: Any, **kwargs: Any) -> None:
        shape, kernel = graph.get_shape(node.input[0]), graph.get_shape(node.input[1])
        channels = shape[1 if node.data_format.startswith("NC") else -1] if shape else -1
        if channels <= 0 or kernel is None or kernel[-2] <= 0:
            raise UnsupportedModelError(
                "a convolution must know its number of channels. Received: an axis without a size. "
                "Give the axis of the channels a size in the model's input."
            )
        groups = channels // kernel[-2]
        original.__func__(handler, opset, graph, node, **kwargs)
        node.set_attr("group", groups)

    with replaced(ConvOp, "any_version", classmethod(any_version)):
        yield


@contextmanager
def outputs_padded() -> Iterator[None]:
    """Turn negative pads of the transposed convolutions into output padding while the block runs."""
    from tf2onnx.onnx_opset.nn import ConvTranspose

    original = ConvTranspose.__dict__["version_1"]

    def version_1(handler: Any, /, graph: Any, node: Any, **kwargs: Any) -> None:
        original.__func__(handler, graph, node, **kwargs)
        pads = node.get_attr_value("pads")
        if pads is None or min(pads) >= 0:
            return
        dimensions = len(pads) // 2
        totals = [pads[axis] + pads[axis + dimensions] for axis in range(dimensions)]
        node.set_attr("output_padding", [max(-total, 0) for total in totals])
        node.set_attr("pads", [pad if totals[place % dimensions] >= 0 else 0 for place, pad in enumerate(pads)])

    with replaced(ConvTranspose, "version_1", classmethod(version_1)):
        yield
