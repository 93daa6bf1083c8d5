"""What a model repository says of its models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

pytest.importorskip("onnx", reason="needs the extra `train`")
pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[grpc,http]'")
schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="pip install 'tritonclient[grpc,http]'")

from google.protobuf import text_format  # noqa: E402

NAMES = ("mnist_reference", "mnist_reference_picture")


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
    types = {"uint8": "UINT8", "float": "FP32", "int64": "INT64", "bool": "BOOL"}
    dims = {tensor.name: [axis if isinstance(axis, int) else -1 for axis in tensor.shape] for tensor in tensors}
    assert not batched or all(axes[0] == -1 for axes in dims.values())
    return {tensor.name: (f"TYPE_{types[tensor.type[7:-1]]}", dims[tensor.name][batched:]) for tensor in tensors}


def assert_described(folder: Path) -> None:
    config, session = config_of(folder), session_of(folder)
    batched = config.max_batch_size > 0
    for said, real in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        words = {tensor.name: (schema.DataType.Name(tensor.data_type), list(tensor.dims)) for tensor in said}
        assert words == described(real, batched)
