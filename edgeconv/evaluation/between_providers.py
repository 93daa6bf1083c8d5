"""`compare_providers`: the first node of each variant whose answers differ between two execution providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.errors import require
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.embedded import INPUT
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.loading import find_model, has_reduced_range, providers_for
from edgeconv.runtime.provider_check import inputs_of, picture_of
from edgeconv.runtime.providers import CPU, short_name
from edgeconv.runtime.session import native_options, open_session, run_native
from edgeconv.variants import takes_pictures

if TYPE_CHECKING:  # Its room needs onnx, and a device evaluates without.
    from edgeconv.conversion.explanation.between_providers import Run


@dataclass(frozen=True)
class Comparison:
    """One variant on two providers.

    Attributes:
        variant: its name.
        provider, against: ONNX Runtime's names of the two.
        node, operator: the first node whose answers differ; empty where none do.
        problem: how far they lie apart, or why one provider fails; empty where they agree.
    """

    variant: str
    provider: str
    against: str
    node: str = ""
    operator: str = ""
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as a JSON object."""
        return {
            "variant": self.variant,
            "provider": short_name(self.provider),
            "against": short_name(self.against),
            "node": self.node,
            "operator": self.operator,
            "problem": self.problem,
        }


def compare_providers(
    model: str | Path | None = None,
    *,
    provider: str,
    against: str = "cpu",
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Iterator[Comparison]:
    """Run each variant on two providers, and find the first node that they answer differently.

    The inputs are golden vectors, else random arrays of the contract, and a picture with one of them drawn into it for
    a variant that takes pictures. Either provider may leave nodes to the CPU here.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest, else the shipped reference.
        provider: a device as `open_model` takes it, ``"webgpu"`` or ``"gpu"``.
        against: the other one.
        timeout: seconds that a call may take; None: see `Predictor`.
        progress: hears which variant runs.

    Yields:
        One comparison a variant.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: there is no such device.
        MissingDependencyError: the extra `train` is not installed.
        ProviderError: a provider is not installed.
    """
    require("onnx", "onnx_ir", extra="train", purpose="Comparing two providers")
    from edgeconv.conversion.explanation.between_providers import first_difference

    files = read_files(Path(model) if model is not None else find_model(), timeout)
    one, other = providers_for(provider)[0], providers_for(against)[0]
    for name in files.variants:
        progress.say(f"{name} on {short_name(one)} and {short_name(other)}")
        data = files.read(name)
        feeds = {INPUT: picture_of(files)} if takes_pictures(name) else _few(inputs_of(files))
        runs = (_run_on(files, name, each, files.timeout_of(name, data)) for each in (one, other))
        found = first_difference(data, feeds, *runs)
        yield (
            Comparison(name, one, other)
            if found is None
            else Comparison(name, one, other, found.node, found.operator, found.problem)
        )


def _few(inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the first inputs only: each is run some twenty times, and an emulated provider is slow."""
    return {name: array[:1] for name, array in inputs.items()}


def _run_on(files: ModelFiles, variant: str, provider: str, timeout: float) -> Run:
    """Return what runs parts of a variant on a provider, which may leave nodes to the CPU."""
    reduced = has_reduced_range(files.manifest, variant)

    def run(part: bytes, names: Sequence[str], feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if provider == CPU:
            session = open_session(part, CPU, 1, reduced_range=reduced, timeout=timeout)
        else:
            from edgeconv.runtime.strict import open_strictly

            session = open_strictly(native_options(1), part, provider, timeout=timeout, alone=False)
        return dict(zip(names, map(np.asarray, run_native(session, names, feeds)), strict=True))

    return run
