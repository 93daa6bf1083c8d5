"""The contract of an exported model, put together from what each stage knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version

from edgeconv.conversion.steps.proof import ProvedExport
from edgeconv.conversion.steps.signature import signature_of
from edgeconv.conversion.steps.source import Source
from edgeconv.conversion.variants.converted import ConvertedFile
from edgeconv.manifest import Manifest, Variant
from edgeconv.manifest_blocks import GateLimit, Metrics, Parity, Provenance, TrainingProvenance
from edgeconv.variants import VARIANTS

PACKAGES = ("edgeconv", "keras", "numpy", "onnx", "onnxruntime", "tensorflow", "tf2onnx")


def build_manifest(proved: ProvedExport) -> Manifest:
    """Return the contract, without the sizes and checksums of files that are not written yet."""
    loaded, context, ledger = proved.conversion.loaded, proved.conversion.context, proved.ledger
    source, config, keras_model = loaded.resolved.source, context.config, context.reference
    signature = signature_of(
        keras_model,
        config,
        context.preparation,
        loaded.labels,
        name=loaded.resolved.folder.resolve().name,
        kind=context.output_kind,
    )
    return replace(
        signature,
        variants={variant: _variant(VARIANTS[variant].file, file) for variant, file in context.files.items()},
        metrics=Metrics(
            dataset=ledger.dataset,
            split=ledger.split,
            sha256=ledger.sha256,
            count=ledger.rows[0].count,
            accuracy={row.stage: row.accuracy for row in ledger.rows},
            figures={row.stage: _rounded(row.metrics) for row in ledger.rows if row.metrics},
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
    )


def _rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return figures as tables show them: their last bits depend on the machine, and a model file must not."""
    return {name: float(f"{value:.4g}") for name, value in metrics.items()}


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
