"""The quantization scheme of each target: types, symmetry, and what stays in float, from one table with its sources."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from edgeconv.errors import ConfigError
from edgeconv.runtime.processor import X86, int8_overflows

AUTO = "auto"
DEFAULT_TARGET = "x86"
"""Its files are right on every processor: ONNX Runtime recodes the weights where one cannot use them as they are."""

ARM64 = {"aarch64", "arm64"}

_STEPS = "its 256 steps of 1/255 would lose the order of unlikely classes"
_NO_KERNEL = "ONNX Runtime has no int8 kernel for it: it would run in float between a dequantization and a quantization"

END_OPERATORS: Mapping[str, str] = {"Softmax": _STEPS, "Sigmoid": _STEPS}
"""Operators that stay in float where the answer comes out of them, on every target, each with the reason."""

FLOAT_OPERATORS: Mapping[str, str] = {
    **dict.fromkeys(("GRU", "LSTM", "RNN"), "ONNX Runtime has no int8 kernel in QDQ form for it"),
    **dict.fromkeys(("If", "Loop", "Scan"), "the graph inside it is computed in float, step by step"),
}
"""Operators that no target computes in int8, each with the reason."""

_CPU_FLOAT: Mapping[str, str] = {
    "Softmax": _STEPS,
    **dict.fromkeys(
        ("BatchNormalization", "ConvTranspose", "CumSum", "InstanceNormalization", "LayerNormalization", "TopK"),
        _NO_KERNEL,
    ),
}

_WEIGHTED_INPUTS = ("Add", "Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class QuantizationScheme:
    """How a target computes int8.

    Attributes:
        target: its name, a key of `TARGETS`.
        activation_type: ``"uint8"`` or ``"int8"``, of the activations.
        weight_type: ``"int8"``.
        activation_symmetric: zero points of activations are 0 (128 would be of uint8).
        weight_symmetric: zero points of weights are 0.
        reduce_range: weights take 7 bits, -64 to 64: 2 * 255 * 64 fits in the 16 bits of VPMADDUBSW.
        per_channel: each output channel of the weights has a scale of its own.
        float_operators: operators left in float wherever they stand, each with the reason.
        source: where the row comes from.
        pixels: scale and zero point with which pixels 0-255 enter: exact where the scale is 1.
        inputs_only: Q and DQ stand before the operators of `operators` and not behind them, a pair for each reader;
            biases stay in float. As TensorRT wants it.
        operators: operators that are quantized; empty: all that ONNX Runtime's quantizer knows.
        between_pairs: every layer stands between DQ and Q, what only moves the pixels and what makes the logits too.
        batch: the size of a batch that the files are made for, where nobody says another one; None leaves it open.
        blocks: first convolutions are taken in blocks of columns; not where others than ONNX Runtime's own kernels for
            CPUs compute them.
    """

    target: str
    activation_type: str
    weight_type: str
    activation_symmetric: bool
    weight_symmetric: bool
    reduce_range: bool
    per_channel: bool
    float_operators: Mapping[str, str]
    source: str
    pixels: tuple[float, int] = (1.0, 0)
    inputs_only: bool = False
    operators: tuple[str, ...] = ()
    between_pairs: bool = False
    batch: int | None = None
    blocks: bool = True

    @property
    def levels(self) -> tuple[int, int]:
        """The lowest and the highest integer of an activation.

        Example:
            >>> scheme_of("tensorrt").levels
            (-127, 127)
        """
        if self.activation_type == "uint8":
            return 0, 255
        return (-127, 127) if self.activation_symmetric else (-128, 127)


_QUANTIZATION_PAGE = "onnxruntime.ai/docs/performance/model-optimizations/quantization.html"
_MLAS = "onnxruntime/core/mlas/lib"

TARGETS: Mapping[str, QuantizationScheme] = {
    row.target: row
    for row in (
        QuantizationScheme(
            "x86",
            activation_type="uint8",
            weight_type="int8",
            activation_symmetric=False,
            weight_symmetric=True,
            reduce_range=False,
            per_channel=True,
            float_operators=_CPU_FLOAT,
            source=f"VPDPBUSD multiplies uint8 by int8 and adds up in 32 bits ({_MLAS}/platform.cpp: GemmU8S8Kernel, "
            "ConvSymU8S8Dispatch); without VNNI `session.x64quantprecision` recodes the weights",
        ),
        QuantizationScheme(
            "x86-avx2",
            activation_type="uint8",
            weight_type="int8",
            activation_symmetric=False,
            weight_symmetric=True,
            reduce_range=True,
            per_channel=True,
            float_operators=_CPU_FLOAT,
            source=f"{_QUANTIZATION_PAGE}, 'When to use reduce-range': for U8S8 on AVX2 and AVX512 without VNNI, whose "
            "VPMADDUBSW saturates in 16 bits",
        ),
        QuantizationScheme(
            "arm64",
            activation_type="int8",
            weight_type="int8",
            activation_symmetric=False,
            weight_symmetric=True,
            reduce_range=False,
            per_channel=True,
            float_operators=_CPU_FLOAT,
            source="NEON and SDOT kernels are made for S8S8, U8S8 is flipped into it on cores without dot product "
            f"(onnxruntime pull requests 8695 and 9902; {_MLAS}/platform.cpp: SymmQgemmDispatch is signed only)",
            # ONNX Runtime fuses a Conv only where its input and its output have one type: 0-255 becomes -128-127.
            pixels=(1.0, -128),
        ),
        QuantizationScheme(
            "web",
            activation_type="uint8",
            weight_type="int8",
            activation_symmetric=False,
            weight_symmetric=True,
            reduce_range=False,
            per_channel=True,
            float_operators=_CPU_FLOAT,
            source=f"wasm SIMD widens to 16 bits before it multiplies ({_MLAS}/qgemm_kernel_wasmsimd.cpp); relaxed "
            "SIMD only serves where its dot product is exact for uint8 x int8 (qgemm_kernel_wasmrelaxedsimd.cpp: "
            "HasUSDot)",
        ),
        QuantizationScheme(
            "tensorrt",
            activation_type="int8",
            weight_type="int8",
            activation_symmetric=True,
            weight_symmetric=True,
            reduce_range=False,
            per_channel=True,
            float_operators={},
            source="docs.nvidia.com/deeplearning/tensorrt, 'Working with Quantized Types': symmetric, int8; 'Explicit "
            "Quantization': Q and DQ before weighted operators, not behind them, and on the residual input of an Add",
            pixels=(255 / 127, 0),
            inputs_only=True,
            operators=_WEIGHTED_INPUTS,
            blocks=False,
        ),
        QuantizationScheme(
            "qnn",
            activation_type="uint8",
            weight_type="int8",
            activation_symmetric=False,
            weight_symmetric=True,
            reduce_range=False,
            per_channel=True,
            float_operators=_CPU_FLOAT,
            source="onnxruntime.ai, 'QNN Execution Provider': quantized models have fixed shapes, and Q and DQ around "
            "each node. Tried on the HTP emulator of onnxruntime-qnn 2.7: a Reshape of bare uint8 and a Gemm that "
            "writes float are left to the CPU",
            between_pairs=True,
            batch=1,
            blocks=False,
        ),
    )
}
"""The targets that int8 can win on."""

REFUSED: Mapping[str, str] = {
    "cuda": "ONNX Runtime's CUDA provider has no int8 convolution and runs it on the CPU (onnxruntime issue 12229). "
    "Export with `--fp16`, or with `--target tensorrt` for its TensorRT provider",
    "coreml": "the CoreML provider takes no QuantizeLinear, and the graph would fall apart into pieces on the CPU. "
    "Export with `--fp16`, or ship fp32",
    "webgpu": "the WebGPU provider has no int8 convolution: Q and DQ would only be added to float scheme. Export "
    "with `--fp16`, or with `--target web` for wasm",
    "directml": "DirectML computes float16 fastest, and is no longer developed. Export with `--fp16`, or ship fp32",
}
"""Where int8 cannot win, each with the reason and what to do instead."""


def scheme_of(name: str) -> QuantizationScheme:
    """Return the quantization scheme of a target.

    Args:
        name: a key of `TARGETS`, or ``"auto"``: that of this machine's processor.

    Raises:
        ConfigError: int8 cannot win there, says why and what to do instead; or nobody knows the name.

    Example:
        >>> scheme_of("arm64").activation_type
        'int8'
    """
    if name == AUTO:
        name = _of_this_machine()
    if name in REFUSED:
        raise ConfigError(f"`target` must be one that int8 is faster on. Received: {name!r}: {REFUSED[name]}.")
    if name not in TARGETS:
        raise ConfigError(
            f"`target` must be one of {', '.join((AUTO, *TARGETS))}. Received: {name!r}. Choose one of these."
        )
    return TARGETS[name]


def _of_this_machine() -> str:
    machine = platform.machine().lower()
    if machine in ARM64:
        return "arm64"
    if machine in X86:
        return "x86-avx2" if int8_overflows() else "x86"
    raise ConfigError(
        f"`target` `auto` requires an x86 or an arm64 processor. Received: {machine!r}. Name a target: "
        f"{', '.join(TARGETS)}."
    )
