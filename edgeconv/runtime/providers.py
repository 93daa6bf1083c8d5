"""Which execution provider runs a model, decided without luck.

ONNX Runtime falls back to the CPU in silence in three ways: a provider that is absent (a warning), CUDA libraries
that are absent (a log line, while the provider is listed as available), and a retry inside its Python class. Here a
session is opened with one provider only and every fall-back off, and then asked what it really got.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgeconv.errors import ConfigError, ProviderError

CPU = "CPUExecutionProvider"

GPU_PROVIDERS = (
    "CUDAExecutionProvider",
    "MIGraphXExecutionProvider",
    "ROCMExecutionProvider",
    "DmlExecutionProvider",
    "CoreMLExecutionProvider",
    "WebGpuExecutionProvider",
)
"""Providers that reach a GPU, in the order in which they are tried."""


OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0"}}
"""Options of the providers. TF32 multiplies with a 10-bit mantissa, and parity with Keras asks for all 24 bits
(onnxruntime.ai, CUDA Execution Provider, `use_tf32`)."""


DEVICES = ("auto", "cpu", "gpu")


def check_device(device: str) -> None:
    """Raise ConfigError unless a device is one of `DEVICES`."""
    if device not in DEVICES:
        raise ConfigError(f"`device` must be one of {', '.join(DEVICES)}. Received: {device!r}. Leave it out for auto.")


def candidates(device: str, available: Sequence[str]) -> tuple[str, ...]:
    """Return the providers to try for a device, best first.

    Args:
        device: ``"auto"``, ``"cpu"`` or ``"gpu"``.
        available: what `onnxruntime.get_available_providers` lists.

    Returns:
        For ``"cpu"`` the CPU; for ``"gpu"`` the GPU providers that are listed; for ``"auto"`` these and then the CPU.

    Raises:
        ProviderError: ``"gpu"``, and none is listed.

    Example:
        >>> candidates("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"])
        ('CUDAExecutionProvider', 'CPUExecutionProvider')
    """
    if device == "cpu":
        return (CPU,)
    gpus = tuple(name for name in GPU_PROVIDERS if name in available)
    if device == "auto":
        return (*gpus, CPU)
    if not gpus:
        raise ProviderError(
            f"`--device gpu` requires an ONNX Runtime with a GPU provider. Received: {', '.join(available)}. "
            "Run `pip uninstall onnxruntime`, then `pip install onnxruntime-gpu`, or use `--device cpu`."
        )
    return gpus


def short_name(provider: str) -> str:
    """Return a provider's name for people: ``"CUDAExecutionProvider"`` gives ``"cuda"``."""
    return provider.removesuffix("ExecutionProvider").lower()
