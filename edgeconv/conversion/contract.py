"""The contract of an exported model, put together from what each stage knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

from edgeconv.config import ExportConfig
from edgeconv.conversion.keras import KerasReference, Port
from edgeconv.conversion.source import Source
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.datasets import Dataset
from edgeconv.errors import ConfigError, DatasetError
from edgeconv.manifest import ArraySpec, Manifest, Variant
from edgeconv.manifest_blocks import GateLimit, Metrics, Parity, Provenance, TrainingProvenance
from edgeconv.parity.ledger import Ledger
from edgeconv.preparation import Preparation
from edgeconv.variants import VARIANTS, flag_of

PACKAGES = ("edgeconv", "keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")


def check_fit(keras_model: KerasReference, data: Dataset | None, config: ExportConfig) -> None:
    """Check that model, data and options go together, before any work.

    Raises:
        ConfigError: an option contradicts the model, or int8 is asked for without data.
        DatasetError: the data are of another shape, or have another number of classes.
    """
    asked = [row for row in VARIANTS.values() if config.makes(row.name)]
    for row in asked:
        if row.made_from is not None and not config.makes(row.made_from):
            flag = flag_of(VARIANTS[row.made_from])
            raise ConfigError(
                f"`{row.option}` is a form of {row.made_from}. Received: no `{flag}`. Add that, or leave it out."
            )
    quantizes = any(row.precision == "int8" for row in asked)
    for option in ("calibration", "target"):
        given = getattr(config, option)
        if given is not None and not quantizes:
            raise ConfigError(
                f"`{option}` is for int8. Received: `{given}` without `--quantize`. Add that, or leave it out."
            )
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
    if data is None and quantizes and config.calibration is None:
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
    asked = [row.option for row in VARIANTS.values() if row.classifiers_only and config.makes(row.name)]
    asked += ["labels"] * (config.labels is not None) + ["dataset"] * (data is not None)
    if asked:
        ports = ", ".join(f"{port.name} {port.axes}" for port in (*keras_model.inputs, *keras_model.outputs))
        raise ConfigError(
            f"`{asked[0]}` requires a classifier of pictures: one input (batch, height, width, channels) and one "
            f"output (batch, classes). Received: `{keras_model.path}` with {ports}. Export it without that option."
        )


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
        variants={variant: _variant(VARIANTS[variant].file, file) for variant, file in files.items()},
        metrics=Metrics(
            dataset=ledger.dataset,
            split=ledger.split,
            sha256=ledger.sha256,
            count=ledger.rows[0].count,
            accuracy={row.stage: row.accuracy for row in ledger.rows},
        ),
        # Without the differences of probabilities: their last bits depend on the machine, and a model file must not.
        parity=Parity(
            flips={row.stage: len(row.flips) for row in ledger.rows[1:]},
            gates=tuple(GateLimit(gate.stage, gate.name, gate.limit) for gate in ledger.gates),
        ),
        provenance=Provenance(
            source_sha256=source.sha256,
            training=_training(source),
            input_range=config.input_range,
            parameters=keras_model.parameters,
            versions={package: version(package) for package in PACKAGES},
        ),
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


def _training(source: Source) -> TrainingProvenance | None:
    """Return what the contract says of the training: enough to repeat it."""
    if source.training is None:
        return None
    dataset = source.training["dataset"]
    return TrainingProvenance(
        dataset=dataset["name"],
        dataset_sha256=dataset["sha256"],
        seed=source.training.get("seed"),
        recipe=source.training.get("recipe", {}).get("name"),
        epochs=source.training.get("epochs_done"),
    )
