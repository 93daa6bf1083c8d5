from __future__ import annotations

import sys
from typing import Any

import onnxruntime as ort
import pytest

from edgeconv.errors import ProviderError
from edgeconv.runtime import cuda_libraries
from edgeconv.runtime.cuda_libraries import load_cuda

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the names of libraries are those of Linux")


def test_without_the_driver_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(cuda_libraries.ctypes, "CDLL", absent)
    with pytest.raises(ProviderError, match=r"requires a card and NVIDIA's driver\. Received: no libcuda\.so\.1"):
        load_cuda("CUDAExecutionProvider")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_libraries.ctypes, "CDLL", lambda _: None)


@pytest.mark.usefixtures("driver")
def test_the_first_library_that_is_absent_is_named_and_nothing_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def preload() -> None:
        print("Failed to load libcublasLt.so.13: cannot open shared object file: No such file or directory")
        print("Failed to load libcublas.so.13: cannot open shared object file: No such file or directory")
        print("Please follow https://onnxruntime.ai/docs/install/#cuda-and-cudnn to install CUDA.")

    monkeypatch.setattr(ort, "preload_dlls", preload)
    with pytest.raises(ProviderError, match=r"requires CUDA's libraries\. Received: no libcublasLt\.so\.13\. Install"):
        load_cuda("CUDAExecutionProvider")
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("driver")
def test_where_all_is_there_they_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[int] = []
    monkeypatch.setattr(ort, "preload_dlls", lambda: loaded.append(1))
    load_cuda("CUDAExecutionProvider")
    assert loaded == [1]
