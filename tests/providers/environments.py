"""The environments, and what is expected of the shipped model in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HOLDS = "holds"
"""Expected of a variant whose gates in the ledger hold there; see `judging`."""

CHROMIUM = "/usr/lib/chromium/vk_swiftshader_icd.json"
"""Debian's package chromium brings SwiftShader, a Vulkan driver without a card."""

SWIFTSHADER = {
    "ORT_WEBGPU_EP_ALLOW_SOFTWARE_ADAPTER": "1",  # ONNX Runtime's own tests use it so, microsoft/onnxruntime#32287.
    "VK_DRIVER_FILES": CHROMIUM,
    "VK_ICD_FILENAMES": CHROMIUM,
}

FLOAT_ONLY = "requires a float model"


SHIPPED, FOR_QNN = "exported/mnist-reference", "build/providers/qnn"
"""The model that the package ships, and the same exported with `--target qnn`."""


@dataclass(frozen=True)
class Environment:
    """A provider in an environment of its own.

    Attributes:
        name: of the row.
        title: for people.
        device: what is asked for.
        packages: what pip installs beside edgeconv's own few.
        state: of the device, as `edgeconv doctor` has it.
        expected: by variant, `HOLDS` or a part of the error.
        variables: of the environment.
        model: the folder of the artifact, below the repository.
        folder: `.venv-providers-FOLDER` is where the packages lie; empty: the name.
        installation: a part of what `edgeconv doctor` says of ONNX Runtime, where that is the point.
    """

    name: str
    title: str
    device: str
    packages: tuple[str, ...]
    state: str = "works"
    expected: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    installation: str = ""
    model: str = SHIPPED
    folder: str = ""


_WEBGPU = ("onnxruntime==1.32.0", "onnxruntime-ep-webgpu==0.4.0")

ENVIRONMENTS = {
    row.name: row
    for row in (
        Environment(
            "webgpu",
            "WebGPU plugin, on SwiftShader",
            "webgpu",
            _WEBGPU,
            expected={"fp32": HOLDS, "int8": FLOAT_ONLY, "e2e": FLOAT_ONLY},
            variables=SWIFTSHADER,
        ),
        Environment(
            "webgpu-without-driver",
            "WebGPU plugin, without a driver",
            "webgpu",
            _WEBGPU,
            folder="webgpu",
            state="broken",
            expected={"fp32": "requires a device and its driver"},
        ),
        Environment(
            "qnn",
            "Qualcomm's NPU, its emulator of the HTP",
            "qnn",
            ("onnxruntime==1.32.0", "onnxruntime-qnn==2.7.0"),
            expected={"fp32": HOLDS, "int8": "must run the whole model", "e2e": "the CPU would have to run"},
        ),
        Environment(
            "qnn-int8",
            "the same, exported with `--target qnn`",
            "qnn",
            ("onnxruntime==1.32.0", "onnxruntime-qnn==2.7.0"),
            expected={"fp32": HOLDS, "int8": HOLDS},
            model=FOR_QNN,
            folder="qnn",
        ),
        Environment(
            "openvino",
            "OpenVINO on a CPU, a whole runtime",
            "openvino",
            ("onnxruntime-openvino==1.24.1",),
            expected={"fp32": HOLDS, "int8": HOLDS, "e2e": "must run the whole model"},
        ),
        Environment(
            "openvino-plugin",
            "OpenVINO plugin, on a CPU of Intel's",
            "openvino",
            ("onnxruntime==1.32.0", "onnxruntime-ep-openvino==1.8.1"),
            expected={"fp32": HOLDS, "int8": HOLDS, "e2e": HOLDS},
        ),
        Environment(
            "openvino-both",
            "the plugin beside the whole runtime",
            "openvino",
            ("onnxruntime-openvino==1.24.1", "onnxruntime-ep-openvino==1.8.1"),
            expected={"fp32": HOLDS, "int8": HOLDS, "e2e": HOLDS},
        ),
        Environment(
            "gpu-without-card",
            "onnxruntime-gpu, without a card",
            "cuda",
            ("onnxruntime-gpu==1.31.1",),
            state="broken",
            expected={"fp32": "requires a card and NVIDIA's driver", "int8": FLOAT_ONLY},
        ),
        Environment(
            "both-wheels",
            "onnxruntime and onnxruntime-gpu at once",
            "cuda",
            ("onnxruntime==1.31.1", "onnxruntime-gpu==1.31.1"),
            state="broken",
            installation="installed together",
        ),
        Environment(
            "ggml",
            "ggml plugin",
            "ggml",
            ("onnxruntime==1.30.0", "onnxruntime-ggml==0.2.0"),
            state="broken",
            expected={"fp32": "the CPU would have to run 15 nodes", "int8": "the CPU would have to run"},
        ),
    )
}
