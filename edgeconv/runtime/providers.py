"""Which execution provider runs a model, decided without luck.

ONNX Runtime falls back to the CPU in silence in three ways: a provider that is absent (a warning), CUDA libraries
that are absent (a log line, while the provider is listed as available), and a retry inside its Python class. Here a
session is opened with one provider only and every fall-back off, and then asked what it really got.

A provider is named by a word for people (``"webgpu"``) or by ONNX Runtime's own name, with the number or the kind of
its device behind a colon where there are several: ``"cuda:1"``, ``"OpenVINOExecutionProvider:GPU"``.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import onnxruntime as ort

from edgeconv.errors import ConfigError, ProviderError

CPU = "CPUExecutionProvider"

PLUGINS_VARIABLE = "EDGECONV_PROVIDERS"
"""Environment variable that names plugins beside those that are found: packages or `NAME=LIBRARY`, with commas."""


class Provider(NamedTuple):
    """What is known of an execution provider. A tuple, since every start of `edgeconv predict` waits for it.

    Attributes:
        name: ONNX Runtime's.
        install: the command that installs it.
        module: the package of its plugin; empty where it is built into a wheel of ONNX Runtime.
        options: that it is always given.
        device_option: which of its options takes what stands behind the colon; empty: the number of a plugin's device.
        device_metadata: what its plugin calls the name of a device, where it takes one of those that it lists instead.
        threads_option: which of its options takes the number of threads, where it doesn't take the session's; the keys
            of a JSON object follow behind slashes.
        on_cpu: whether it computes on the CPU, in whose memory it may leave nodes to ONNX Runtime's own kernels.
        races_cpu: whether it has a wheel, and runs on any x86: it may be faster there than ONNX Runtime's own kernels.
        one_by_one: whether it wants to know the size of a batch beforehand; it is given one input a call.
        unasked: whether ``"auto"`` and ``"gpu"`` try it.
        computes_int8: whether models in int8 may be tried on it.
        target: of `edgeconv export --target`, whose int8 it runs whole.
        system: the only system that it is made for, as `sys.platform` has it; empty: several.
        driver: what is to be done where it is installed and finds no device; empty: `install` again.
        cuda: whether NVIDIA's libraries have to be loaded before it.
    """

    name: str
    install: str
    module: str = ""
    options: Mapping[str, str] = {}
    device_option: str = ""
    device_metadata: str = ""
    threads_option: str = ""
    on_cpu: bool = False
    races_cpu: bool = False
    one_by_one: bool = False
    unasked: bool = False
    computes_int8: bool = False
    target: str = ""
    system: str = ""
    driver: str = ""
    cuda: bool = False


_INSTEAD = "pip uninstall --yes onnxruntime && pip install"
_NVIDIA = "install NVIDIA's driver for this system"

_ROWS = (
    # TF32 multiplies with a 10-bit mantissa, and parity with Keras asks for all 24 bits (onnxruntime.ai, CUDA
    # Execution Provider, `use_tf32`).
    Provider(
        "CUDAExecutionProvider",
        f"{_INSTEAD} 'onnxruntime-gpu[cuda,cudnn]'",
        options={"use_tf32": "0"},
        device_option="device_id",
        unasked=True,
        driver=_NVIDIA,
        cuda=True,
    ),
    Provider(
        "MIGraphXExecutionProvider",
        f"{_INSTEAD} onnxruntime-migraphx",
        device_option="device_id",
        unasked=True,
        system="linux",
    ),
    Provider(
        "ROCMExecutionProvider", f"{_INSTEAD} onnxruntime-rocm", device_option="device_id", unasked=True, system="linux"
    ),
    Provider(
        "DmlExecutionProvider",
        f"{_INSTEAD} onnxruntime-directml",
        device_option="device_id",
        unasked=True,
        system="win32",
    ),
    Provider("CoreMLExecutionProvider", "pip install onnxruntime", unasked=True, system="darwin"),
    Provider(
        "WebGpuExecutionProvider",
        "pip install onnxruntime-ep-webgpu",
        "onnxruntime_ep_webgpu",
        unasked=True,
        driver="apt-get install libvulkan1 mesa-vulkan-drivers, or NVIDIA's own driver",
    ),
    # Building its engines takes minutes: it is never tried unasked.
    Provider(
        "TensorrtExecutionProvider",
        f"{_INSTEAD} 'onnxruntime-gpu[cuda,cudnn]' tensorrt-cu13",
        device_option="device_id",
        driver=_NVIDIA,
        cuda=True,
        computes_int8=True,
        target="tensorrt",
    ),
    Provider(
        "QNNExecutionProvider",
        "pip install onnxruntime-qnn",
        "onnxruntime_qnn",
        options={"backend_type": "htp"},
        device_option="backend_type",
        one_by_one=True,
        computes_int8=True,
        target="qnn",
    ),
    # Left alone it computes in bfloat16 on processors that have it, and in float16 on Intel's GPUs: max |dp| of the
    # shipped model was 5e-3 (docs.openvino.ai, Precision Control, `ov::hint::execution_mode`).
    Provider(
        "OpenVINOExecutionProvider",
        f"{_INSTEAD} onnxruntime-openvino",
        "onnxruntime_ep_openvino",
        options={
            "load_config": json.dumps({kind: {"EXECUTION_MODE_HINT": "ACCURACY"} for kind in ("CPU", "GPU", "NPU")})
        },
        device_option="device_type",
        device_metadata="ov_device",
        threads_option="load_config/CPU/INFERENCE_NUM_THREADS",
        races_cpu=True,
        computes_int8=True,
    ),
    # In no wheel for Python; its kernels are for single operators, and what it lacks costs nothing on the CPU.
    Provider(
        "XnnpackExecutionProvider",
        "pip install a wheel of ONNX Runtime that was built with `--use_xnnpack`",
        threads_option="intra_op_num_threads",
        on_cpu=True,
        computes_int8=True,
    ),
    Provider("ggml", "pip install onnxruntime-ggml", "onnxruntime_ggml", device_option="device", computes_int8=True),
)

PROVIDERS = {row.name: row for row in _ROWS}
"""Those that are known, by ONNX Runtime's names, GPUs in the order in which they are tried."""

REMOTE = {"AzureExecutionProvider"}
"""Providers that send the model's inputs to another machine."""


def check_device(device: str) -> None:
    """Raise ConfigError unless a device is ``"auto"``, ``"cpu"``, ``"gpu"``, or the name of a provider."""
    if device in {"auto", "cpu", "gpu"}:
        return
    if isinstance(device, str):
        name = device.partition(":")[0]
        if any(_is_named(name, known) for known in PROVIDERS) or any(
            _is_named(name, other) for other in available_providers() if other != CPU
        ):
            return
    raise ConfigError(
        f"`device` must be one of auto, cpu, gpu, {', '.join(map(short_name, PROVIDERS))}, or a plugin's name, with "
        f":ID behind a provider of several devices. Received: {device!r}. Leave it out for auto."
    )


def candidates(device: str, available: Sequence[str]) -> tuple[str, ...]:
    """Return the providers to try for a device, best first.

    Args:
        device: ``"auto"``, ``"cpu"``, ``"gpu"``, or the name of a provider with or without ``":ID"``.
        available: what `available_providers` lists.

    Returns:
        For ``"cpu"`` the CPU; for ``"gpu"`` the GPU providers that are listed; for ``"auto"`` these and then the CPU;
        else the one that is named, with its ``":ID"``.

    Raises:
        ProviderError: ``"gpu"``, and none is listed; or the one that is named is not.

    Example:
        >>> candidates("auto", ["CUDAExecutionProvider", "CPUExecutionProvider"])
        ('CUDAExecutionProvider', 'CPUExecutionProvider')
        >>> candidates("cuda:1", ["CUDAExecutionProvider", "CPUExecutionProvider"])
        ('CUDAExecutionProvider:1',)
    """
    if device == "cpu":
        return (CPU,)
    gpus = tuple(name for name, row in PROVIDERS.items() if row.unasked and name in available)
    if device == "auto":
        return (*gpus, CPU)
    listed = ", ".join(map(short_name, available))
    if device == "gpu":
        if gpus:
            return gpus
        raise ProviderError(
            f"`--device gpu` requires an ONNX Runtime with a GPU provider. Received: {listed}. For any GPU with a "
            f"Vulkan driver, or Direct3D: `{PROVIDERS['WebGpuExecutionProvider'].install}`. For NVIDIA: "
            f"`{PROVIDERS['CUDAExecutionProvider'].install}`. Or use `--device cpu`."
        )
    name, colon, number = device.partition(":")
    for provider in available:
        if _is_named(name, provider):
            return (f"{provider}{colon}{number}",)
    row = next(row for row in _ROWS if _is_named(name, row.name))
    raise ProviderError(
        f"`--device {device}` requires {row.name}. Received: {listed}. Install it with `{row.install}`, or use "
        "`--device cpu`."
    )


def provider_of(name: str) -> Provider:
    """Return what is known of a provider, named by ONNX Runtime's name with or without ``":ID"``."""
    bare = name.partition(":")[0]
    return PROVIDERS.get(bare) or Provider(bare, f"pip install the package of {bare}", computes_int8=True)


def available_providers() -> list[str]:
    """Return ONNX Runtime's names of the providers that are built in or come as plugins; not all of them work."""
    modules = plugin_modules()
    built_in = [name for name in ort.get_available_providers() if name not in REMOTE]
    if not modules:
        return built_in
    from edgeconv.runtime.plugins import plugin_providers  # Here, since most installations have none.

    return [*(name for name in plugin_providers(modules) if name not in built_in), *built_in]


def plugin_modules() -> tuple[str, ...]:
    """Return the packages of plugins that are installed, by a look at the folders that Python imports from.

    Those that `PLUGINS_VARIABLE` names come first. None is imported.
    """
    named = tuple(filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(",")))
    known = {row.module for row in _ROWS if row.module}
    found = set[str]()
    for folder in {Path(ort.__file__).parents[1], *(Path(entry) for entry in sys.path if "-packages" in entry)}:
        with suppress(OSError):
            names = (path.name for path in folder.iterdir())
            found |= {name for name in names if name in known or re.fullmatch(r"onnxruntime_ep_\w+", name)}
    return (*named, *sorted(found - set(named)))


def _is_named(word: str, provider: str) -> bool:
    """Tell whether a word of a user's means a provider."""
    return word.lower() in {short_name(provider), provider.lower()}


def short_name(provider: str) -> str:
    """Return a provider's name for people: ``"CUDAExecutionProvider:1"`` gives ``"cuda:1"``."""
    name, colon, number = provider.partition(":")
    return f"{name.removesuffix('ExecutionProvider').lower()}{colon}{number}"
