from __future__ import annotations

import pytest

from edgeconv.errors import ProviderError
from edgeconv.runtime.providers import CPU, candidates, short_name

CUDA = "CUDAExecutionProvider"


@pytest.mark.parametrize(
    ("device", "available", "expected"),
    [
        ("cpu", [CUDA, CPU], (CPU,)),
        ("auto", [CPU], (CPU,)),
        ("auto", ["AzureExecutionProvider", CPU], (CPU,)),
        ("auto", [CUDA, CPU], (CUDA, CPU)),
        ("gpu", [CUDA, CPU], (CUDA,)),
        ("gpu", ["DmlExecutionProvider", CUDA, CPU], (CUDA, "DmlExecutionProvider")),
        ("auto", ["OpenVINOExecutionProvider", "TensorrtExecutionProvider", CPU], (CPU,)),
        ("openvino:GPU.1", ["OpenVINOExecutionProvider", CPU], ("OpenVINOExecutionProvider:GPU.1",)),
        ("CUDAExecutionProvider", [CUDA, CPU], (CUDA,)),
        ("own", ["OwnExecutionProvider", CPU], ("OwnExecutionProvider",)),
    ],
)
def test_candidates_of_a_device(device: str, available: list[str], expected: tuple[str, ...]) -> None:
    assert candidates(device, available) == expected


def test_gpu_without_a_gpu_provider_says_what_to_install() -> None:
    with pytest.raises(
        ProviderError,
        match=r"requires an ONNX Runtime with a GPU provider\. Received: cpu\. .*-ep-webgpu.*onnxruntime-gpu",
    ):
        candidates("gpu", [CPU])


@pytest.mark.parametrize(("device", "package"), [("webgpu", "onnxruntime-ep-webgpu"), ("qnn:htp", "onnxruntime-qnn")])
def test_a_provider_that_is_absent_says_what_to_install(device: str, package: str) -> None:
    with pytest.raises(ProviderError, match=rf"`--device {device}` requires \w+\. Received: cpu\. .*{package}`"):
        candidates(device, [CPU])


def test_short_names() -> None:
    assert [short_name(name) for name in (CPU, f"{CUDA}:1")] == ["cpu", "cuda:1"]
