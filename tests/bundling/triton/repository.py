"""What a model repository says of its models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")

from google.protobuf import text_format  # noqa: E402

NAMES = ("mnist_reference", "mnist_reference_picture")


NUMPY = {"UINT8": np.uint8, "FP32": np.float32}


def config_of(folder: Path) -> Any:
    return text_format.Parse((folder / "config.pbtxt").read_text(encoding="utf-8"), schema.ModelConfig())


def session_of(folder: Path) -> ort.InferenceSession:
    """Open a model as Triton's backend does: with its threads, and without entries that it does not pass on."""
    config = config_of(folder)
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(config.parameters["intra_op_thread_count"].string_value)
    options.log_severity_level = 3
    return ort.InferenceSession(str(folder / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"])


def described(tensors: Any, batched: bool) -> dict[str, tuple[str, list[int]]]:
    """Return names, types and sizes as ONNX Runtime says them in the words of a configuration."""
    types = {"tensor(uint8)": "TYPE_UINT8", "tensor(float)": "TYPE_FP32"}
    dims = {tensor.name: [axis if isinstance(axis, int) else -1 for axis in tensor.shape] for tensor in tensors}
    assert not batched or all(axes[0] == -1 for axes in dims.values())
    return {tensor.name: (types[tensor.type], dims[tensor.name][batched:]) for tensor in tensors}
