from __future__ import annotations

import pytest

from edgeconv.errors import ProviderError
from edgeconv.runtime.providers import CPU, GPU_PROVIDERS, candidates, short_name

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
    ],
)
def test_candidates_of_a_device(device: str, available: list[str], expected: tuple[str, ...]) -> None:
    assert candidates(device, available) == expected


def test_gpu_without_a_gpu_provider_says_what_to_install() -> None:
    with pytest.raises(
        ProviderError, match=r"requires an ONNX Runtime with a GPU provider\. Received: CPUExec.*onnxruntime-gpu"
    ):
        candidates("gpu", [CPU])


def test_short_names() -> None:
    assert [short_name(name) for name in (CPU, GPU_PROVIDERS[0])] == ["cpu", "cuda"]
