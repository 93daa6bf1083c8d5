"""The target `triton`: what of a model repository is no template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgeconv.bundling import literals
from edgeconv.bundling.context import BundleContext, identifier_of, slug_of
from edgeconv.bundling.interface import BundleArray
from edgeconv.bundling.portable import portable
from edgeconv.bundling.selftest import Array

FOLDER = "triton_model"
"""Where the client's package lies."""

MOST_AT_ONCE = 64

_TYPES = {"float16": "FP16", "float32": "FP32", "float64": "FP64"}
"""Triton's names of types; the others are numpy's in capitals (docs/user_guide/model_configuration.md)."""

_BATCHING = """
# What waits is answered together, and nothing waits for company: on a CPU a small
# model is done before more requests arrive. No size is preferred, so that a queue of
# 11 is one batch of 11.
dynamic_batching {
  max_queue_delay_microseconds: 0
}
"""


def write_triton(folder: Path, context: BundleContext) -> Mapping[str, str]:
    """Write the models, of pictures with and without their preparation, each with what warms it up.

    Args:
        folder: of the bundle.
        context: about the model.

    Returns:
        What the templates may say besides: the tensors of each model.
    """
    interface, sample = context.interface, context.samples[0]
    named = interface.answer in {"classes", "tags", "values"}
    labels = context.manifest.labels if named else ()
    models, name = folder / "models", identifier_of(slug_of(context.manifest.name))
    inputs, outputs = (
        tuple(
            BundleArray(spec.name, spec.dtype, tuple(size if isinstance(size, int) else None for size in spec.shape))
            for spec in specs
        )
        for specs in (
            (context.manifest.input, *context.manifest.more_inputs),
            (context.manifest.output, *context.manifest.more_outputs),
        )
    )
    # A tensor of nothing but a batch axis has no dims, which a batching model must have.
    batched = all(array.shape[0] is None and len(array.shape) > 1 for array in (*inputs, *outputs))
    plain = portable(context.plain, context.variant)
    fed = sample.inputs if interface.preparation is None else sample.outputs[-1:]
    _write_model(models / name, plain, inputs, fed, labels)
    values = {
        "MODEL_NAME": name,
        "PLAIN_TITLE": "arrays in and out",
        "MOST_AT_ONCE": str(MOST_AT_ONCE if batched else 1),
        "MAX_BATCH_SIZE": str(MOST_AT_ONCE if batched else 0),
        "BATCHING": _BATCHING if batched else "",
        "PLAIN_INPUT": inputs[0].name,
        "PLAIN_OUTPUTS_PYTHON": literals.python_tuple("PLAIN_OUTPUTS: tuple[str, ...]", [one.name for one in outputs]),
        "PLAIN_INPUTS": _tensors("input", inputs, batched=batched),
        "PLAIN_OUTPUTS": _tensors("output", outputs, batched=batched, labels=bool(labels)),
        "PLAIN_WARMUP": _warmup(inputs, fed, batched=batched),
    }
    if interface.preparation is None:
        return values
    embedded = portable(context.model, context.variant)
    _write_model(models / f"{name}_picture", embedded, interface.inputs, sample.inputs, labels)
    return values | {
        "MODEL_NAME": f"{name}_picture",
        "PLAIN_TITLE": "images that are prepared already",
        "PICTURE_OUTPUTS": _tensors("output", interface.outputs, batched=False, labels=bool(labels)),
        "PICTURE_WARMUP": _warmup(interface.inputs, sample.inputs, batched=False),
    }


def _write_model(
    folder: Path, model: bytes, inputs: Sequence[BundleArray], fed: Sequence[Array], labels: Sequence[str]
) -> None:
    files = {"1/model.onnx": model}
    files |= {f"warmup/{array.name}.bin": _bytes(data) for array, data in zip(inputs, fed, strict=True)}
    if labels:
        files["labels.txt"] = "".join(f"{literals.one_line(label)}\n" for label in labels).encode()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _bytes(array: Array) -> bytes:
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()


def _tensors(role: str, arrays: Sequence[BundleArray], *, batched: bool, labels: bool = False) -> str:
    """Return the tensors of a model as its configuration has them; the first output may have names."""
    listed = []
    for place, array in enumerate(arrays):
        lines = [f'    name: "{array.name}"', f"    data_type: {_type_of(array)}", f"    {_dims(array.shape, batched)}"]
        lines += ['    label_filename: "labels.txt"'] * (labels and place == 0)
        listed.append("\n".join(["  {", *lines, "  }"]))
    return f"{role} [\n" + ",\n".join(listed) + "\n]"


def _warmup(inputs: Sequence[BundleArray], fed: Sequence[Array], *, batched: bool) -> str:
    """Return what a model answers before it is ready: a sample, and a full batch of zeros where it has batches."""
    samples = [_warmup_of("one sample", 1, inputs, fed, batched=batched, zeros=False)]
    if batched:
        samples.append(_warmup_of("a full batch", MOST_AT_ONCE, inputs, fed, batched=True, zeros=True))
    return "model_warmup [\n" + ",\n".join(samples) + "\n]"


def _warmup_of(
    name: str, size: int, inputs: Sequence[BundleArray], fed: Sequence[Array], *, batched: bool, zeros: bool
) -> str:
    lines = ["  {", f'    name: "{name}"', f"    batch_size: {size}"]
    for array, data in zip(inputs, fed, strict=True):
        source = "zero_data: true" if zeros else f'input_data_file: "{array.name}.bin"'
        value = [f"        data_type: {_type_of(array)}", f"        {_dims(data.shape, batched)}", f"        {source}"]
        lines += ["    inputs {", f'      key: "{array.name}"', "      value: {", *value, "      }", "    }"]
    return "\n".join([*lines, "  }"])


def _type_of(array: BundleArray) -> str:
    return f"TYPE_{_TYPES.get(array.dtype, array.dtype.upper())}"


def _dims(shape: Sequence[int | None], batched: bool) -> str:
    sizes = ("-1" if size is None else str(size) for size in shape[batched:])
    return f"dims: [ {', '.join(sizes)} ]"
