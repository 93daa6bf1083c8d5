"""`benchmark`: latency, throughput, load time, memory, size and accuracy of all variants of a model on this device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, groupby
from pathlib import Path

from edgeconv.benchmarking.accuracy import accuracies_of
from edgeconv.benchmarking.configurations import (
    Configuration,
    Opened,
    batch_sizes,
    on_pictures,
    thread_counts,
    usable_configurations,
)
from edgeconv.benchmarking.footprint import Footprint, footprint_of
from edgeconv.benchmarking.inputs import Inputs
from edgeconv.benchmarking.machine import read_machine
from edgeconv.benchmarking.results import Benchmark, BenchmarkRow, RowComparison
from edgeconv.datasets import DatasetSpec
from edgeconv.errors import ConfigError
from edgeconv.progress import SILENT, Progress
from edgeconv.runtime.files import ModelFiles, read_files
from edgeconv.runtime.loading import find_model
from edgeconv.spread import ratio_of
from edgeconv.timing import Timing, Work, time_in_turn
from edgeconv.variants import takes_pictures


def benchmark(
    model: str | Path | None = None,
    *,
    max_batch: int = 16,
    max_threads: int | None = None,
    seconds: float = 0.5,
    device: str = "auto",
    dataset: str | DatasetSpec | None = None,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Benchmark:
    """Measure every variant of a model on every provider that runs it here, or on the one of a device.

    The calls are those of `Predictor` behind the preparation of the picture: the check of the array is in the time. A
    variant with its preparation inside is given pictures, of several sizes, and the preparation is in its time.
    The variants run in turn, in rounds, so that what slows the machine for a while slows all of them. Load time and
    memory are those of processes of their own.

    Args:
        model: an artifact's folder or a lone `.onnx` file; None takes the newest, else the shipped reference.
        max_batch: largest batch; powers of two up to it are measured.
        max_threads: largest number of threads inside an operator; None means the cores that this process may use.
        seconds: time to call each row; a slow model takes longer, for the sake of a few calls.
        device: ``"auto"`` for every provider; ``"cpu"``, ``"gpu"`` or a provider such as ``"webgpu"`` for it alone.
        dataset: labelled data to measure the accuracy on; None takes the manifest's, else that on golden vectors.
        timeout: seconds that a call may take; None: see `Predictor`.
        progress: receives messages, and bars.

    Raises:
        ArtifactError: there is no such model, or it is damaged.
        ConfigError: a number is out of its range.
        DatasetError: the data are absent or damaged, or do not fit the model.
        InferenceTimeoutError: a call takes too long.
        ProviderError: a device was asked for, and runs none of the variants.

    Example:
        >>> edgeconv.benchmark("exported/mnist", max_batch=1).rows[0].p50_latency_ms  # doctest: +SKIP
        0.126
    """
    check_seconds(seconds)
    files = read_files(Path(model) if model is not None else find_model(), timeout)
    machine = read_machine()
    progress.say(f"Model: {files.path}")
    progress.say(f"Machine: {machine.sentence()}")
    threads = allowed_threads(max_threads, machine.processor.cores)
    batches = {name: batch_sizes(files.manifest, max_batch, name) for name in files.variants}
    usable = usable_configurations(files, progress, device)
    accuracies = accuracies_of(files, usable, dataset, progress)
    configurations = [
        replace(configuration, threads=count)
        for count in threads
        for found in usable
        for configuration in on_pictures(found)
    ]
    # What takes too long is found out here: a process that measures a footprint would end without a word.
    timings = _timings(files, configurations, batches, seconds, progress)
    footprints = _footprints(files, configurations, batches, progress)
    rows = tuple(
        _row(
            configuration,
            batch,
            timing,
            footprints[configuration],
            len(files.read(configuration.variant)),
            accuracies.of,
        )
        for (configuration, batch), timing in timings.items()
    )
    return Benchmark(files.path, files.manifest.name, machine, accuracies.source, rows, tuple(_comparisons(timings)))


def check_seconds(seconds: float) -> None:
    """Refuse a time that is none.

    Raises:
        ConfigError: it is not above 0.
    """
    if not seconds > 0.0:
        raise ConfigError(f"`seconds` must be above 0. Received: {seconds}. Leave it out for 0.5.")


def allowed_threads(largest: int | None, cores: int) -> tuple[int, ...]:
    """Return the numbers of threads to try.

    Raises:
        ConfigError: `largest` is below 1.
    """
    if largest is not None and largest < 1:
        raise ConfigError(f"`max_threads` must be at least 1. Received: {largest}. Leave it out for all {cores} cores.")
    return thread_counts(largest or cores)


_Batches = dict[str, tuple[int, ...]]
_Timings = dict[tuple[Configuration, int], Timing]


def _footprints(
    files: ModelFiles, configurations: Sequence[Configuration], batches: _Batches, progress: Progress
) -> dict[Configuration, Footprint | None]:
    footprints = {}
    with progress.bar("Loading", len(configurations)) as advance:
        for configuration in configurations:
            footprints[configuration] = footprint_of(files, configuration, batches[configuration.variant])
            advance(1, str(configuration))
            if footprints[configuration] is None:
                progress.say(
                    f"Load time and memory of {configuration} are not known: the process that measures them failed."
                )
    return footprints


def _timings(
    files: ModelFiles, configurations: Sequence[Configuration], batches: _Batches, seconds: float, progress: Progress
) -> _Timings:
    """Time all configurations, one number of threads at a time, so that sessions do not wait for one another."""
    inputs = Inputs.of(files)
    timings: _Timings = {}
    for threads, together in groupby(configurations, key=lambda configuration: configuration.threads):
        opened = [Opened(files, configuration) for configuration in together]
        keys, works = [], []
        for one in opened:
            for batch in batches[one.configuration.variant]:
                call = one.call(inputs.of_call(one.configuration.picture, batch))
                keys.append((one.configuration, batch))
                works.append(Work(_words(one.configuration, batch), call, leaves_threads=threads > 1))
        measured = time_in_turn(
            works, seconds=seconds, progress=progress, description=f"{threads} thread{'s' if threads > 1 else ''}"
        )
        timings |= dict(zip(keys, measured, strict=True))
    return timings


def _row(
    configuration: Configuration,
    batch: int,
    timing: Timing,
    footprint: Footprint | None,
    size_bytes: int,
    accuracies: dict[tuple[str, str], float],
) -> BenchmarkRow:
    p50 = timing.interval
    return BenchmarkRow(
        variant=configuration.variant,
        provider=configuration.provider,
        threads=configuration.threads,
        batch=batch,
        picture=configuration.picture_size,
        p50_latency_ms=p50.median,
        p50_low_ms=p50.low,
        p50_high_ms=p50.high,
        p95_latency_ms=timing.percentile(95.0),
        p99_latency_ms=timing.percentile(99.0),
        images_per_second=1000.0 * batch / p50.median,
        calls=timing.calls,
        load_ms=footprint.load_ms if footprint else None,
        memory_bytes=footprint.memory_bytes.get(batch) if footprint else None,
        size_bytes=size_bytes,
        accuracy=accuracies.get((configuration.variant, configuration.provider)),
    )


def _comparisons(timings: _Timings) -> Iterator[RowComparison]:
    """Yield each pair of equal threads and batch size, the faster first; without e2e, which also prepares pictures."""
    alike = [(configuration, batch) for configuration, batch in timings if not takes_pictures(configuration.variant)]
    for key, other in combinations(alike, 2):
        if (key[0].threads, key[1]) != (other[0].threads, other[1]):
            continue
        faster, slower = sorted((key, other), key=lambda key: timings[key].interval.median)
        ratio = ratio_of(timings[faster].medians, timings[slower].medians)
        yield RowComparison(_words(*faster), _words(*slower), ratio)


def _words(configuration: Configuration, batch: int) -> str:
    return f"{configuration}, batch {batch}"
