"""The contract of an exported model, put together from what each stage knows."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version

from edgeconv.conversion.keras import Port
from edgeconv.conversion.steps.proof import ProvedExport
from edgeconv.conversion.steps.source import Source
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.manifest import ArraySpec, Manifest, Variant
from edgeconv.manifest_blocks import GateLimit, Metrics, Parity, Provenance, TrainingProvenance
from edgeconv.variants import VARIANTS

PACKAGES = ("edgeconv", "keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")


_RANGES = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""What a last activation keeps its values to."""


def build_manifest(proved: ProvedExport) -> Manifest:
    """Return the contract, without the sizes and checksums of files that are not written yet."""
    loaded, context, ledger = proved.conversion.loaded, proved.conversion.context, proved.ledger
    source, config, keras_model = loaded.resolved.source, context.config, context.reference
    kind = context.output_kind
    inputs = [_array_of(port, pixels=keras_model.eats_pixels) for port in keras_model.inputs]
    outputs = [_array_of(port) for port in keras_model.file_outputs(suppressed=config.nms)]
    return Manifest(
        name=loaded.resolved.folder.resolve().name,
        input=inputs[0],
        preprocess=context.preparation,
        output=replace(
            outputs[0],
            value_range=(0.0, 1.0) if kind == "probabilities" else _RANGES.get(keras_model.head.activation),
            kind=kind,
            task=keras_model.task,
            pending=None if kind != "tensor" else keras_model.head.pending,
            threshold=config.threshold,
        ),
        labels=loaded.labels,
        variants={variant: _variant(VARIANTS[variant].file, file) for variant, file in context.files.items()},
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
        boxes=None if keras_model.boxes is None else keras_model.boxes.contract(suppressed=config.nms),
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
