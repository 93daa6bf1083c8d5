"""`export`: from a Keras model to verified ONNX, in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeconv.config import ExportConfig
from edgeconv.conversion.explanation.table import Explanation
from edgeconv.conversion.exported import ExportedModel
from edgeconv.conversion.isolation import Limits, run_isolated
from edgeconv.datasets import DatasetSpec
from edgeconv.progress import SILENT, Progress

GIGABYTE = 10**9


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

    It runs in a child process with limits on memory and time.

    Args:
        model: a `.keras` or `.h5` file, a SavedModel's folder or an artifact's; None takes the newest below
            `exported/`.
        config: how; see `ExportConfig`.
        quantize: make int8 too; overrides `config`.
        dataset: labelled data for calibration and parity; None takes the model's training data. For tasks other than
            classes, examples as `datasets.examples.open_examples` reads them.
        out: the artifact's folder; None takes the model's own, or `exported/<name>` for a file from elsewhere.
        progress: receives messages.

    Returns:
        The artifact.

    Raises:
        ArtifactError: there is no such model, or Keras cannot load it.
        ConfigError: the options contradict the model.
        DatasetError: the data are absent, damaged, or do not fit the model.
        UnsupportedModelError: the model cannot be expressed in ONNX, or the file gives other answers.
        ParityError: a gate failed; no model was replaced, and the ledger is in `parity.failed.json`.
        ProviderError: `context` was given, but its compiler is not installed, or its file gives other answers.
        ConversionError: a limit was reached, or the child process failed.

    Example:
        >>> edgeconv.export("exported/mnist/model.keras", quantize=True).ledger.passed  # doctest: +SKIP
        True
    """
    config = config or ExportConfig()
    if quantize is not None:
        others = tuple(name for name in config.variants if name != "int8")
        config = replace(config, quantize=quantize, variants=others)
    memory = None if config.max_memory_gb is None else int(config.max_memory_gb * GIGABYTE)
    limits = Limits(memory_bytes=memory, seconds=60.0 * config.max_minutes)
    if config.context is not None:
        from edgeconv.conversion.contexts import require_compiler

        require_compiler()
    data = DatasetSpec(dataset) if isinstance(dataset, str) else dataset
    request = {"model": model, "config": config.as_dict(), "dataset": data and data.as_dict(), "out": out}
    exported: ExportedModel = run_isolated(
        export_in_child, request, limits=limits, progress=progress, read=_exported, what="The conversion"
    )
    if config.context is None:
        return exported
    from edgeconv.conversion.contexts import compile_ahead

    compile_ahead(exported.path, config.context, progress)
    return ExportedModel.read(exported.path, exported.explanation)


def _exported(answer: dict[str, Any]) -> ExportedModel:
    """Read back what the child says that it has written."""
    explanation = answer["explanation"]
    return ExportedModel.read(Path(answer["path"]), explanation and Explanation.from_dict(explanation))


def export_in_child(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Export in this process, which alone loads what conversion needs: the caller's stays small.

    Args:
        request: the arguments of `export`, as JSON has them.
        progress: receives messages.

    Returns:
        The artifact's folder, and the explanation, which lies in none of its files.
    """
    data = request["dataset"]
    exported = export_here(
        request["model"],
        config=ExportConfig.from_dict(request["config"]),
        dataset=data and DatasetSpec.from_dict(data),
        out=request["out"],
        progress=progress,
    )
    explanation = exported.explanation
    return {"path": str(exported.path), "explanation": explanation and explanation.as_dict()}


def export_here(
    model: str | Path | None = None,
    *,
    config: ExportConfig,
    dataset: str | DatasetSpec | None = None,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> ExportedModel:
    """Export in this process, in six steps; see `export`."""
    from edgeconv.conversion.graph.lazy_sympy import sympy_when_needed
    from edgeconv.conversion.tracing.library import tensorflow_opened

    with tensorflow_opened(), sympy_when_needed():
        from edgeconv.conversion.steps.comparison import choose_comparison
        from edgeconv.conversion.steps.loading import load
        from edgeconv.conversion.steps.proof import prove_variants
        from edgeconv.conversion.steps.resolution import ExportRequest, resolve
        from edgeconv.conversion.steps.writing import write
        from edgeconv.conversion.variants.making import make_variants

    resolved = resolve(ExportRequest(model, config, dataset, out, progress))
    loaded = load(resolved)
    conversion = choose_comparison(loaded)
    made = replace(conversion, context=make_variants(conversion.context))
    proved = prove_variants(made)
    return write(proved)
