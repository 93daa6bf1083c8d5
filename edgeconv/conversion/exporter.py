"""`export`: from a `.keras` file to verified ONNX, with parity proved before anything takes its final name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeconv.artifact import FAILED_PARITY_FILE, write_json
from edgeconv.config import ExportConfig
from edgeconv.conversion.calibration import draw_calibration
from edgeconv.conversion.cleaning import clean
from edgeconv.conversion.contract import ConvertedFile, build_manifest, check_fit, kind_of_output, preparation_of
from edgeconv.conversion.embedded_variant import embed_verified
from edgeconv.conversion.keras_models import KerasReference, load_keras
from edgeconv.conversion.ledger import Ledger
from edgeconv.conversion.parity import Evidence, Stage, prove, stage_of
from edgeconv.conversion.quantization import quantize_static_int8
from edgeconv.conversion.source import Source, check_folder, find_data, find_source, own_folder
from edgeconv.conversion.verification import BATCHES, random_images, verify_answers, verify_structure
from edgeconv.conversion.writing import SAMPLES, golden_samples, write_artifact
from edgeconv.datasets import Dataset, DatasetSpec
from edgeconv.errors import ConfigError, ParityError
from edgeconv.manifest import Manifest
from edgeconv.preprocess import Preparation
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import E2E

RANDOM_IMAGES = 256
"""Images of noise that stand in where a model comes without data."""


@dataclass(frozen=True)
class ExportedModel:
    """A model that was exported.

    Attributes:
        path: the artifact's folder.
        manifest: its contract.
        ledger: how well each stage does.
    """

    path: Path
    manifest: Manifest
    ledger: Ledger

    def as_dict(self) -> dict[str, Any]:
        """Return the path, the contract and the ledger as a JSON object."""
        return {"path": str(self.path), "manifest": self.manifest.as_dict(), "ledger": self.ledger.as_dict()}


def export(
    model: str | Path | None = None,
    *,
    config: ExportConfig | None = None,
    quantize: bool | None = None,
    dataset: str | DatasetSpec | None = None,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> ExportedModel:
    """Convert a Keras model to ONNX, quantize it if asked, prove parity, and write the artifact.

    Args:
        model: a `.keras` file or an artifact's folder; None takes the newest below `exported/`.
        config: how; see `ExportConfig`.
        quantize: make int8 too; overrides the config.
        dataset: labelled data for calibration and parity; None takes those that the model was trained on.
        out: the artifact's folder; None takes the model's own, or `exported/<name>` for a file from elsewhere.
        progress: hears of each step.

    Returns:
        The artifact.

    Raises:
        ArtifactError: there is no such model, or Keras cannot load it.
        ConfigError: the options contradict the model.
        DatasetError: the data are absent, damaged, or do not fit the model.
        UnsupportedModelError: the model cannot be expressed in ONNX, or the file answers otherwise.
        ParityError: a gate failed; nothing took its final name, and the ledger is in `parity.failed.json`.

    Example:
        >>> edgeconv.export("exported/mnist/model.keras", quantize=True).ledger.passed  # doctest: +SKIP
        True
    """
    config = config or ExportConfig()
    config = config if quantize is None else replace(config, quantize=quantize)
    source = find_source(model, progress)
    folder = Path(out) if out is not None else own_folder(source)
    check_folder(folder, source)
    progress.say(f"Model: {source.path}")
    keras_model = load_keras(source.path, input_range=config.input_range)
    data = find_data(source, dataset, progress)
    check_fit(keras_model, data, config)
    evidence = _evidence(keras_model, data, config.seed)
    progress.say(f"Converting {keras_model.parameters:,} parameters to ONNX")
    files = _convert(source, keras_model, data, config, progress)
    kind = kind_of_output(keras_model.predict(evidence.images[:SAMPLES]))
    if config.embed_preprocessing:
        files[E2E] = _embed(source, files, preparation_of(source, keras_model, data), kind, progress)
    stages = [Stage("keras", "tensorflow", keras_model.predict, source.path.stat().st_size)]
    stages += [stage_of(name, file.bytes) for name, file in files.items()]
    ledger = prove(stages, evidence, max_drop=config.max_drop, kind=kind, progress=progress)
    if not ledger.passed:
        write_json(folder / FAILED_PARITY_FILE, ledger.as_dict())
        raise ParityError(
            f"`{source.path}` must keep its answers. Received: {ledger.failures()}. Nothing was exported; "
            f"read `{folder / FAILED_PARITY_FILE}`, or allow more with `--max-drop`.",
            ledger,
        )
    samples = golden_samples(evidence, keras_model.predict)
    manifest = build_manifest(folder.resolve().name, source, keras_model, data, config, files, ledger, kind)
    manifest, ledger = write_artifact(folder, source, manifest, ledger, files, evidence, samples)
    return ExportedModel(folder, manifest, ledger)


def _convert(
    source: Source, keras_model: KerasReference, data: Dataset | None, config: ExportConfig, progress: Progress
) -> dict[str, ConvertedFile]:
    """Return the verified variants by name, fp32 first."""
    fp32 = clean(keras_model.to_onnx())
    fp32_bytes = verify_structure(fp32, str(source.path))
    noise = random_images((max(BATCHES), *keras_model.example_shape), keras_model.input_dtype, config.seed)
    verify_answers(fp32_bytes, keras_model.predict, noise, str(source.path))
    files = {"fp32": ConvertedFile(fp32, fp32_bytes)}
    if config.quantize and data is not None:
        calibration = draw_calibration(data.train, dataset=data.name, size=config.calibration_size, seed=config.seed)
        progress.say(f"Quantizing to int8 on {len(calibration.images):,} training images")
        int8 = quantize_static_int8(fp32, calibration.images)
        int8_bytes = verify_structure(int8.model, str(source.path))
        files["int8"] = ConvertedFile(int8.model, int8_bytes, int8, calibration.record)
    return files


def _embed(
    source: Source, files: dict[str, ConvertedFile], preparation: Preparation | None, kind: str, progress: Progress
) -> ConvertedFile:
    """Return the last variant with the preparation of pictures in front of it."""
    if preparation is None:
        raise ConfigError(
            f"`embed_preprocessing` requires a model whose preparation of pictures is known. Received: `{source.path}` "
            "without it. State what its input makes of a pixel, such as `--input-range 0:1`."
        )
    base = "int8" if "int8" in files else "fp32"
    progress.say(f"Embedding the preparation of pictures into {base}")
    embedded = embed_verified(files[base].model, preparation, kind=kind)
    return ConvertedFile(embedded, embedded.SerializeToString(deterministic=True), embeds=base)


def _evidence(keras_model: KerasReference, data: Dataset | None, seed: int) -> Evidence:
    """Return the test split, or random images where there are no data."""
    if data is not None:
        return Evidence(data.name, "test", data.sha256, data.test.images, data.test.labels)
    images = random_images((RANDOM_IMAGES, *keras_model.example_shape), keras_model.input_dtype, seed)
    return Evidence("random", "random", hashlib.sha256(images.tobytes()).hexdigest(), images, None)
