"""The first step: what is asked for is found and checked, before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeconv.config import ExportConfig
from edgeconv.conversion.graph.releases import RuntimeTarget, target
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, scheme_of
from edgeconv.conversion.steps.source import Source, check_folder, find_source, own_folder
from edgeconv.datasets import DatasetSpec
from edgeconv.progress import SILENT, Progress
from edgeconv.transaction import require_writable


@dataclass(frozen=True)
class ExportRequest:
    """What is asked for.

    Attributes:
        model: a `.keras` or `.h5` file, a SavedModel's folder or an artifact's; None takes the newest.
        config: how to export it.
        dataset: labelled data; None takes those that the model was trained on.
        out: the artifact's folder; None takes the model's own.
        progress: receives messages.
    """

    model: str | Path | None
    config: ExportConfig
    dataset: str | DatasetSpec | None = None
    out: str | Path | None = None
    progress: Progress = SILENT

    @property
    def spec(self) -> DatasetSpec | None:
        """The labelled data as they are named."""
        return DatasetSpec(self.dataset) if isinstance(self.dataset, str) else self.dataset


@dataclass(frozen=True)
class ResolvedExport:
    """A request whose model is there, and whose folder is free.

    Attributes:
        request: what was asked for.
        source: the model's file, and what lies beside it.
        folder: the artifact's.
        release: the operators, and the oldest ONNX Runtime that loads them.
    """

    request: ExportRequest
    source: Source
    folder: Path
    release: RuntimeTarget


def resolve(request: ExportRequest) -> ResolvedExport:
    """Find the model, and the folder of its artifact.

    Raises:
        ArtifactError: there is no such model.
        ConfigError: the options contradict each other, or the folder is another model's.
    """
    config = request.config
    release = target(opset=config.opset, min_runtime=config.min_runtime)
    scheme_of(config.target or DEFAULT_TARGET)  # One that int8 cannot win on is refused before any work.
    source = find_source(request.model, request.progress)
    folder = Path(request.out) if request.out is not None else own_folder(source)
    check_folder(folder, source)
    require_writable(folder)
    request.progress.say(f"Model: {source.path}")
    return ResolvedExport(request, source, folder, release)
