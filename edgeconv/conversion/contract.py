"""The contract of an exported model, put together from what each stage knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.artifact import E2E_FILE, FP16_FILE, FP32_FILE, INT8_FAST_FILE, INT8_FILE
from edgeconv.config import ExportConfig
from edgeconv.conversion.int8.quantizing import Quantized
from edgeconv.conversion.keras import KerasReference, Port
from edgeconv.conversion.source import Source
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.manifest import ArraySpec, Manifest, Variant
from edgeconv.parity.ledger import Ledger
from edgeconv.pictures.preparation import Preparation
from edgeconv.runtime.embedded import E2E

PACKAGES = ("edgeconv", "keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")
FILES = {"fp32": FP32_FILE, "fp16": FP16_FILE, "int8": INT8_FILE, "int8-fast": INT8_FAST_FILE, E2E: E2E_FILE}


@dataclass(frozen=True)
class ConvertedFile:
    """A verified variant that has no contract in it yet.

    Attributes:
        model: the graph.
        bytes: the same, serialised.
        quantized: how it was quantized; None for fp32.
        calibration: what its ranges were measured on; empty for fp32.
        embeds: the variant inside, where the preparation of pictures is in front of it.
    """

    model: onnx.ModelProto
    bytes: bytes
    quantized: Quantized | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    embeds: str | None = None

    @property
    def reduced_range(self) -> bool:
        """Whether its int8 weights take 7 bits, so that no sum overflows on any processor."""
        return self.quantized is not None and bool(self.quantized.arguments["reduce_range"])


def check_fit(keras_model: KerasReference, data: Dataset | None, config: ExportConfig) -> None:
    """Check that model, data and options go together, before any work.

    Raises:
        ConfigError: an option contradicts the model, or int8 is asked for without data.
        DatasetError: the data are of another shape, or have another number of classes.
    """
    for option in ("calibration", "target"):
        given = getattr(config, option)
        if given is not None and not config.quantize:
            raise ConfigError(
                f"`{option}` is for int8. Received: `{given}` without `--quantize`. Add that, or leave it out."
            )
    if config.fast and not config.quantize:
        raise ConfigError("`fast` is a form of int8. Received: no `--quantize`. Add that, or leave it out.")
    if not keras_model.is_classifier:
        _check_fit_of_tensors(keras_model, data, config)
        return
    if config.labels is not None and len(config.labels) != keras_model.classes:
        raise ConfigError(
            f"`labels` must name the {keras_model.classes} outputs of the model. Received: {len(config.labels)} names. "
            "Name each class once, in the order of the outputs."
        )
    if not keras_model.eats_pixels and data is not None:
        raise ConfigError(
            f"`{keras_model.path}` must say what its {keras_model.inputs[0].dtype} input makes of a pixel. "
            "Received: no Rescaling layer and no range. State it, such as `--input-range 0:1`."
        )
    if data is None and config.quantize and config.calibration is None:
        raise ConfigError(
            f"`quantize` requires training images to measure ranges on. Received: `{keras_model.path}` without a "
            "record of its training. Name them with `--dataset`, or unlabelled ones with `--calibration`."
        )
    if data is None:
        return
    shape, wanted = data.train.images.shape[1:], keras_model.inputs[0].shape
    if any(size not in {None, got} for size, got in zip(wanted, shape, strict=True)):
        raise DatasetError(
            f"`{keras_model.path}` requires images of {wanted}. Received: {shape} in {data.source}. "
            "Choose other data, or set `--image-size`."
        )
    if len(data.labels) != keras_model.classes:
        raise DatasetError(
            f"`{keras_model.path}` requires data of {keras_model.classes} classes. Received: {len(data.labels)} in "
            f"{data.source}. Choose the data that it was trained on."
        )


def _check_fit_of_tensors(keras_model: KerasReference, data: Dataset | None, config: ExportConfig) -> None:
    """Refuse what only a classifier of pictures has: classes, labelled images, and int8 that is judged by them."""
    options = {
        "quantize": config.quantize,
        "embed_preprocessing": config.embed_preprocessing,
        "labels": config.labels is not None,
        "dataset": data is not None,
    }
    asked = [option for option, given in options.items() if given]
    if asked:
        ports = ", ".join(f"{port.name} {port.axes}" for port in (*keras_model.inputs, *keras_model.outputs))
        raise ConfigError(
            f"`{asked[0]}` requires a classifier of pictures: one input (batch, height, width, channels) and one "
            f"output (batch, classes). Received: `{keras_model.path}` with {ports}. Export it without that option."
        )


def kind_of_output(answers: NDArray[np.float32]) -> str:
    """Tell probabilities, whose rows are positive and sum to 1, from logits.

    Args:
        answers: float32, (n, classes), of the reference.
    """
    sums_to_one = np.allclose(answers.sum(axis=1), 1.0, atol=1e-3)
    return "probabilities" if sums_to_one and float(answers.min()) >= 0.0 else "logits"


def build_manifest(
    name: str,
    source: Source,
    keras_model: KerasReference,
    data: Dataset | None,
    config: ExportConfig,
    files: Mapping[str, ConvertedFile],
    ledger: Ledger,
    kind: str,
) -> Manifest:
    """Return the contract, without the sizes and checksums of files that are not written yet."""
    inputs = [_array_of(port, pixels=keras_model.eats_pixels) for port in keras_model.inputs]
    outputs = [_array_of(port) for port in keras_model.outputs]
    return Manifest(
        name=name,
        input=inputs[0],
        preprocess=preparation_of(source, keras_model, data),
        output=replace(outputs[0], value_range=(0.0, 1.0) if kind == "probabilities" else None, kind=kind),
        labels=_labels(source, keras_model, data, config),
        variants={variant: _variant(FILES[variant], file) for variant, file in files.items()},
        metrics={
            "dataset": ledger.dataset,
            "split": ledger.split,
            "sha256": ledger.sha256,
            "count": ledger.rows[0].count,
            "accuracy": {row.stage: row.accuracy for row in ledger.rows},
        },
        # Without the differences of probabilities: their last bits depend on the machine, and a model file must not.
        parity={
            "flips": {row.stage: len(row.flips) for row in ledger.rows[1:]},
            "gates": [{"stage": gate.stage, "name": gate.name, "limit": gate.limit} for gate in ledger.gates],
        },
        session={},
        provenance={
            "source_sha256": source.sha256,
            "training": _training(source),
            "input_range": config.input_range,
            "parameters": keras_model.parameters,
            "versions": {package: version(package) for package in PACKAGES},
        },
        more_inputs=tuple(inputs[1:]),
        more_outputs=tuple(outputs[1:]),
    )


def _array_of(port: Port, *, pixels: bool = False) -> ArraySpec:
    return ArraySpec(
        port.name, port.dtype, port.axes, (0.0, 255.0) if pixels else None, "pixels" if pixels else "tensor"
    )


def _variant(file_name: str, file: ConvertedFile) -> Variant:
    opset = next(entry.version for entry in file.model.opset_import if entry.domain in {"", "ai.onnx"})
    if file.quantized is None:
        return Variant(file_name, opset, file.model.ir_version, embeds=file.embeds)
    return Variant(
        file_name,
        opset,
        file.model.ir_version,
        file.quantized.arguments,
        file.quantized.float_nodes,
        file.calibration,
    )


def preparation_of(source: Source, keras_model: KerasReference, data: Dataset | None) -> Preparation | None:
    """Return how a picture becomes the model's input, or None where nobody knows."""
    if not keras_model.eats_pixels:
        return None
    if source.training is not None:
        return Preparation.from_dict(source.training["dataset"]["preparation"])
    if data is not None:
        return data.preparation
    height, width, channels = keras_model.inputs[0].shape
    if height is None or width is None or channels not in {1, 3}:
        return None
    return Preparation("resize", height, width, channels)


def _labels(source: Source, keras_model: KerasReference, data: Dataset | None, config: ExportConfig) -> tuple[str, ...]:
    if config.labels is not None:
        return config.labels
    if source.training is not None:
        return tuple(source.training["dataset"]["labels"])
    if not keras_model.is_classifier:
        return ()
    return data.labels if data is not None else tuple(str(index) for index in range(keras_model.classes))


def _training(source: Source) -> dict[str, Any] | None:
    """Return what the contract says of the training: enough to repeat it."""
    if source.training is None:
        return None
    dataset = source.training["dataset"]
    return {
        "dataset": dataset["name"],
        "dataset_sha256": dataset["sha256"],
        "seed": source.training.get("seed"),
        "recipe": source.training.get("recipe", {}).get("name"),
        "epochs": source.training.get("epochs_done"),
    }
