"""`profile`: where the time of a call goes, by Keras layer, all variants side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from edgeconv.benchmarking.configurations import usable_configurations
from edgeconv.benchmarking.events import Run, profile_in_turn
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.benchmarking.layers import NO_LAYER, layer_of_node, layers_of
from edgeconv.benchmarking.machine import Machine, read_machine
from edgeconv.errors import ConfigError
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.loading import find_model, has_reduced_range
from edgeconv.runtime.providers import CPU
from edgeconv.runtime.session import native_options, open_with, run_native
from edgeconv.variants import takes_pictures

WHOLE = "(the whole call)"
"""The last row: the median call inside ONNX Runtime, under the profiler, which makes it slower."""

BETWEEN = "(between the kernels)"
"""What ONNX Runtime itself takes to go from one node to the next, and what the profiler takes to write it down."""


@dataclass(frozen=True)
class LayerTime:
    """One layer in all variants.

    Attributes:
        layer: path of the Keras layer.
        times_us: by variant, microseconds of the median call; None where no kernel of its own is left, since another
            layer's does its work, or it is none in the file.
        operators: by variant, what ran.
    """

    layer: str
    times_us: dict[str, float | None]
    operators: dict[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        row: dict[str, Any] = {"layer": self.layer}
        for variant, time in self.times_us.items():
            row[f"{variant}_us"] = time
            row[f"{variant}_operators"] = list(self.operators[variant])
        return row


@dataclass(frozen=True)
class Profile:
    """The layers of a model, in the order in which they run.

    Attributes:
        machine: what it ran on.
        batch: images per call.
        threads: threads inside an operator.
        variants: names of the variants.
        layers: the rows; the last three are the kernels of no layer, the time between kernels, and the whole call.
    """

    machine: Machine
    batch: int
    threads: int
    variants: tuple[str, ...]
    layers: tuple[LayerTime, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the profile as a JSON object."""
        return {
            "machine": self.machine.as_dict(),
            "batch": self.batch,
            "threads": self.threads,
            "variants": list(self.variants),
            "layers": [layer.as_dict() for layer in self.layers],
        }


def profile(
    model: str | Path | None = None,
    *,
    batch: int = 1,
    threads: int = 1,
    calls: int = 200,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Profile:
    """Time each layer of every variant on the CPU; kernels that were fused count for the layer with the weights.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest, else the shipped reference.
        batch: images per call.
        threads: threads inside an operator.
        calls: how often each variant is called.
        timeout: seconds that a call may take; None: see `Predictor`.
        progress: receives messages, and a bar.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: a number is below 1, or the model has only a variant with the preparation inside.
        InferenceTimeoutError: a call takes too long.

    Example:
        >>> edgeconv.profile("exported/mnist").layers[0].layer  # doctest: +SKIP
        'conv1'
    """
    for name, value in (("batch", batch), ("threads", threads), ("calls", calls)):
        if value < 1:
            raise ConfigError(f"`{name}` must be at least 1. Received: {value}. Leave it out for the default.")
    files, machine = read_files(Path(model) if model is not None else find_model(), timeout), read_machine()
    fixed = files.manifest.input.shape[0]
    size = fixed if isinstance(fixed, int) else batch
    progress.say(f"Model: {files.path}")
    progress.say(f"Machine: {machine.sentence()}")
    usable = [
        configuration.variant
        for configuration in usable_configurations(files, progress)
        if configuration.provider == CPU
    ]
    variants = tuple(name for name in usable if not takes_pictures(name))
    if not variants:
        raise ConfigError(
            f"`profile` requires fp32 or int8. Received: {', '.join(usable)} only. Export the model again."
        )
    feeds = Inputs.of(files).batch(size)

    def call(session: Any) -> None:
        run_native(session, None, feeds)

    with progress.bar("Profiling", 2) as advance:
        plain = profile_in_turn([_opener(files, name, threads, optimised=False) for name in variants], call, calls=1)
        advance(1, "the nodes of the files")
        optimised = [_opener(files, name, threads, optimised=True) for name in variants]
        runs = dict(zip(variants, profile_in_turn(optimised, call, calls=calls), strict=True))
        advance(1, "the kernels")
    order = [layer for node in plain[0].kernels if (layer := layer_of_node(node.name))]
    named = {name: layers_of(runs[name].kernels, nodes.kernels) for name, nodes in zip(variants, plain, strict=True)}
    layers = dict.fromkeys([*order, *(layer for found in named.values() for layer in found if layer != NO_LAYER)])
    totals = {name: run.time_us for name, run in runs.items()}
    between = {
        name: max(0.0, run.time_us - sum(kernel.time_us for kernel in run.kernels)) for name, run in runs.items()
    }
    rows = [
        *(_row(layer, runs, named) for layer in (*layers, NO_LAYER)),
        LayerTime(BETWEEN, {**between}, dict.fromkeys(runs, ())),
        LayerTime(WHOLE, {**totals}, dict.fromkeys(runs, ())),
    ]
    return Profile(machine, size, threads, variants, tuple(rows))


def _opener(files: ModelFiles, name: str, threads: int, *, optimised: bool) -> Callable[[str], Any]:
    def open_profiled(prefix: str) -> Any:
        options = native_options(threads, reduced_range=has_reduced_range(files.manifest, name))
        options.enable_profiling = True
        options.profile_file_prefix = prefix
        if not optimised:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        model = files.read(name)
        return open_with(options, model, CPU, timeout=files.timeout_of(name, model))

    return open_profiled


def _row(layer: str, runs: dict[str, Run], named: Mapping[str, Sequence[str]]) -> LayerTime:
    times: dict[str, float | None] = {}
    operators: dict[str, tuple[str, ...]] = {}
    for name, run in runs.items():
        own = [kernel for kernel, owner in zip(run.kernels, named[name], strict=True) if owner == layer]
        times[name] = sum(kernel.time_us for kernel in own) if own else None
        operators[name] = tuple(kernel.operator for kernel in own)
    return LayerTime(layer, times, operators)
