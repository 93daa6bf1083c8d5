"""NVIDIA's libraries, which ONNX Runtime does not find by itself where Python's packages brought them.

`pip install 'onnxruntime-gpu[cuda,cudnn]'` puts CUDA where the system's loader does not look, and ONNX Runtime falls
back to the CPU unless `preload_dlls` is called (onnxruntime.ai, Install ONNX Runtime, CUDA and cuDNN).
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import re
import sys

import onnxruntime as ort

from edgeconv.errors import ProviderError

_DRIVER = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}


def load_cuda(provider: str) -> None:
    """Load CUDA and cuDNN into this process, where it has not loaded them yet.

    Args:
        provider: its name, for the error.

    Raises:
        ProviderError: the driver or a library is absent.
    """
    library = _DRIVER.get(sys.platform)
    if library is None:
        return
    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise ProviderError(
            f"{provider} requires a card and NVIDIA's driver. Received: no {library}. Install NVIDIA's driver for this "
            "system, or use `--device cpu`."
        ) from error
    if not hasattr(ort, "preload_dlls"):  # Older than 1.21.
        return
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # It prints what it does not find.
        ort.preload_dlls()
    absent = re.search(r"^Failed to load (.+?):", said.getvalue(), re.MULTILINE)
    if absent:
        raise ProviderError(
            f"{provider} requires CUDA's libraries. Received: no {absent[1]}. Install them with `pip install "
            f"'onnxruntime-gpu[cuda,cudnn]=={ort.__version__}'`, or use `--device cpu`."
        )
