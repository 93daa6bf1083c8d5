"""The variants of a model, one row each; every room reads what it must know of a variant here.

To add a variant: a row of `VARIANTS`, and under `edgeconv/conversion/variants/` a module of its name (a dash becomes
an underscore) with `make(context)`, see `edgeconv.conversion.variants.making`.
"""

from __future__ import annotations

from typing import NamedTuple

REFERENCE = "fp32"
"""The variant that every export makes, and that all others are made from."""

FP32_TOLERANCE = 1e-3
"""Share of the spread of the reference's outputs that rounding may cost in float32.

Keras and ONNX Runtime sum the same products in another order. Over all networks of `keras.applications`, up to some
hundreds of layers deep, that costs some 1e-5 of the spread; a wrong axis, constant or mode costs more than 1e-2.
"""

FP32_MAX_DP = 1e-4
"""Largest difference of a probability that float32 may show.

Keras and ONNX Runtime sum the same float32 products in another order. On convnets of this size that moves probabilities
by some 1e-6; a wrong operator, axis or constant moves them by far more than 1e-4.
"""

FP16_TOLERANCE = 1e-2
"""Share of the spread of the reference's outputs that float16 may cost.

float16 rounds to 11 bits, by at most 2**-11 = 4.9e-4 of a number, and the roundings of many layers partly cancel. With
every tensor rounded (`float16.narrowing.rounded`), ten random inputs, and random but living weights the logits were off
by 3.3e-4 of their spread for MobileNetV2, 6.3e-4 a small convnet, 6.6e-4 ConvNeXtTiny, 7.0e-4 ResNet50, 7.4e-4
MobileNetV3Small, 7.9e-4 an LSTM with a GRU and 8.0e-4 an attention layer; a steep softmax made up to 3.1e-3 of it.
Trained models get three times that. What overflows or drowns in a sum is wrong by about the spread itself.
"""


INT8_TOLERANCE = 1e-2
"""Share of the spread of the reference's outputs that int8 may cost, as the root of the mean square.

It is 2.5 of the 255 steps that an output has in int8. The largest of thousands of errors is some five times that.
"""


class VariantSpec(NamedTuple):
    """What is known of a variant before any file is made.

    A tuple, since every start of `edgeconv predict` waits for it: to define a dataclass takes four times as long.

    Attributes:
        name: what users call it.
        file: its file in an artifact's folder.
        title: its name where a figure shows it beside others.
        option: of `edgeconv export` that makes it, as Python spells it; None: every export does.
        help: of that option.
        made_from: the variant that has to be asked for too; None: Keras' own model.
        precision: ``"float32"``, ``"float16"``, ``"int8"``, or ``"weights"`` where these alone are short; None: that of
            the variant inside.
        takes_pictures: whether it takes a picture of any size, one a call; else prepared arrays. It is made of models
            of one picture only.
        tolerance: difference from Keras as a share of the spread of an output, which is its gate where no classes are
            judged: the largest, or of int8 the root of the mean square.
        max_dp: largest difference of a probability, where none may flip; None: it may lose what `--max-drop` allows.
        explained: whether each of its layers can be held against Keras' layer.
        cpu_rank: which place it has among those to run on a CPU; None: only where it is asked for, or tuned.
        gpu_rank: the same on a GPU.
        runs_on_gpu: whether a GPU computes it whole.
        bundled: whether `edgeconv bundle` offers it.
        min_runtime: the oldest ONNX Runtime that runs it, where that is newer than what fp32 needs; None elsewhere.
    """

    name: str
    file: str
    title: str
    option: str | None
    help: str
    made_from: str | None
    precision: str | None
    takes_pictures: bool = False
    tolerance: float = 0.0
    max_dp: float | None = None
    explained: bool = True
    cpu_rank: int | None = None
    gpu_rank: int | None = None
    runs_on_gpu: bool = True
    bundled: bool = False
    min_runtime: str | None = None


_ROWS = (
    VariantSpec(
        name=REFERENCE,
        file="model.onnx",
        title="fp32",
        option=None,
        help="",
        made_from=None,
        precision="float32",
        tolerance=FP32_TOLERANCE,
        max_dp=FP32_MAX_DP,
        cpu_rank=2,
        gpu_rank=1,
        bundled=True,
    ),
    VariantSpec(
        name="fp16",
        file="model.fp16.onnx",
        title="fp16",
        option="fp16",
        help="Make the float16 variant too.",
        made_from=REFERENCE,
        precision="float16",
        tolerance=FP16_TOLERANCE,
        cpu_rank=3,
        gpu_rank=2,
    ),
    # GPUs: operators on int8 run one by one on the CPU, https://github.com/microsoft/onnxruntime/issues/12229
    VariantSpec(
        name="int8",
        file="model.int8.onnx",
        title="int8",
        option="quantize",
        help="Make the int8 variant too.",
        made_from=REFERENCE,
        precision="int8",
        tolerance=INT8_TOLERANCE,
        cpu_rank=1,
        gpu_rank=3,
        runs_on_gpu=False,
        bundled=True,
    ),
    # Fast where it was made, maybe slow elsewhere: never chosen unasked. Its layers have merged.
    VariantSpec(
        name="int8-fast",
        file="model.int8-fast.onnx",
        title="int8-fast",
        option="fast",
        help="Time other forms of int8 on this machine; the fastest becomes int8-fast.",
        made_from="int8",
        precision="int8",
        tolerance=INT8_TOLERANCE,
        explained=False,
        runs_on_gpu=False,
    ),
    # For the size alone: never chosen unasked. What floats are made of them by on a GPU was not tried.
    VariantSpec(
        name="int8-weights",
        file="model.int8-weights.onnx",
        title="int8 weights",
        option="int8_weights",
        help="Make the variant int8-weights too: float32 with weights stored in 8 bits, for a small file.",
        made_from=REFERENCE,
        precision="weights",
        tolerance=INT8_TOLERANCE,
        runs_on_gpu=False,
    ),
    VariantSpec(
        name="int4-weights",
        file="model.int4-weights.onnx",
        title="int4 weights",
        option="int4_weights",
        help="Make the variant int4-weights too: weights stored in 4 bits if accuracy permits, else in 8.",
        made_from=REFERENCE,
        precision="weights",
        tolerance=INT8_TOLERANCE,
        runs_on_gpu=False,
        min_runtime="1.19",  # 1.18.1 refuses int4, 1.19.2 answers as 1.32 does.
    ),
    VariantSpec(
        name="e2e",
        file="model.e2e.onnx",
        title="e2e with its preparation",
        option="embed_preprocessing",
        help="Make the e2e variant too: takes the pixels of any picture, prepares them itself.",
        made_from=REFERENCE,
        precision=None,
        takes_pictures=True,
        tolerance=FP32_TOLERANCE,
        explained=False,
        cpu_rank=4,
        gpu_rank=4,
        runs_on_gpu=False,
    ),
)

VARIANTS = {row.name: row for row in _ROWS}
"""All variants by name, in the order in which an export makes them."""


def takes_pictures(name: str) -> bool:
    """Tell whether a variant, or a stage of that name, takes a picture of any size instead of prepared arrays."""
    return name in VARIANTS and VARIANTS[name].takes_pictures


def variant_of(stage: str) -> VariantSpec | None:
    """Return the variant that a stage runs, here or on a device; None where it runs none.

    Example:
        >>> variant_of(on_device("int8", "pi4")).precision
        'int8'
    """
    return VARIANTS.get(stage.partition(_ON)[0])


def on_device(name: str, device: str) -> str:
    """Return the name of the stage that runs a variant on another device.

    Example:
        >>> on_device("int8", "pi4")
        'int8 on pi4'
    """
    return f"{name}{_ON}{device}"


_ON = " on "


def is_int8(stage: str) -> bool:
    """Tell whether a variant, here or on a device, computes in int8."""
    return (variant := variant_of(stage)) is not None and variant.precision == "int8"


def best_first(*, gpu: bool) -> list[str]:
    """Return the variants that may run unasked, the best for a GPU or a CPU first."""
    ranks = {name: row.gpu_rank if gpu else row.cpu_rank for name, row in VARIANTS.items()}
    return sorted((name for name in ranks if ranks[name] is not None), key=lambda name: ranks[name] or 0)


def flag_of(row: VariantSpec) -> str:
    """Return the option that makes a variant, as a terminal spells it, or an empty string."""
    return f"--{row.option.replace('_', '-')}" if row.option else ""


def export_command(name: str) -> str:
    """Return the command that makes a variant.

    Example:
        >>> export_command("int8-fast")
        'edgeconv export --quantize --fast'
    """
    flags: list[str] = []
    row = VARIANTS.get(name)
    while row is not None:
        flags.insert(0, flag_of(row))
        row = VARIANTS.get(row.made_from or "")
    return " ".join(["edgeconv export", *filter(None, flags)])
