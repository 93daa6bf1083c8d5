"""Recurrent layers run step by step while traced: cuDNN's fused operation exists on a GPU only.

`use_cudnn=True`, and `"auto"` on a machine with a GPU, trace to CudnnRNNV3, which ONNX does not have; without cuDNN
tf2onnx finds its LSTM and GRU patterns. The answers are the same to float32's precision.

Upstream: none; the choice is the layer's. Goes when tf2onnx maps CudnnRNNV3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeconv.conversion.tracing.layer_calls import layer_paths


@contextmanager
def without_cudnn(model: Any) -> Iterator[None]:
    """Set `use_cudnn=False` in a model's layers while the block runs."""
    wanted = [(layer, layer.use_cudnn) for layer in layer_paths(model).values() if hasattr(layer, "use_cudnn")]
    for layer, _ in wanted:
        layer.use_cudnn = False
    try:
        yield
    finally:
        for layer, use_cudnn in wanted:
            layer.use_cudnn = use_cudnn
