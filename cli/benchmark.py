"""`edgeconv benchmark`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .benchmark_tables import BENCHMARK_COLUMNS, TUNING_COLUMNS, profile_columns
from .data_options import data_options, given_spec_of
from .output import emit, format_option, say
from .progress import TerminalProgress
from .variant_options import device_option, keep_to_free_memory, timeout_option

if TYPE_CHECKING:
    from edgeconv.benchmarking.results import Benchmark


@click.command()
@click.argument("model", required=False)
@click.option("--max-batch", type=int, help="Measure batches of powers of two up to this. Default: 16.")
@click.option(
    "--max-threads", type=int, help="Largest number of threads inside an operator. Default: the cores available."
)
@click.option("--seconds", default=0.5, show_default=True, help="Seconds to measure each row; more is more precise.")
@click.option("--plot", metavar="FILE.svg", help="Plot latency against accuracy, with the file size as area.")
@click.option("--tune", is_flag=True, help="Find the fastest variant and options for this device, and store them.")
@click.option("--profile", is_flag=True, help="Time each layer, by its Keras name, in all variants.")
@click.option("--batch", type=int, help="With --tune and --profile: images per call. Default: 1.")
@device_option
@data_options
@timeout_option
@format_option
def command(
    model: str | None,
    max_batch: int | None,
    max_threads: int | None,
    seconds: float,
    plot: str | None,
    tune: bool,
    profile: bool,
    batch: int | None,
    device: str,
    timeout: float | None,
    output_format: str | None,
    **options: Any,
) -> None:
    """Time every variant of MODEL on this device.

    MODEL is an artifact's folder or a lone .onnx file. Default: the newest, else the model that the package ships.
    Measured are latency, images per second, load time and memory, and with --dataset the accuracy. The results are
    stored beside the model and shown in its report.html. --tune stores its choice in manifest.json, where
    `edgeconv predict` finds it on this device.

    \b
    Example: edgeconv benchmark --max-batch 8
    """
    spec = given_spec_of(options)
    _refuse_what_does_not_go_together(
        tune=tune,
        profile=profile,
        batch=batch,
        only_measuring=(max_batch, plot, spec),
        max_threads=max_threads,
    )
    keep_to_free_memory(model)
    import edgeconv

    if plot is not None:
        from edgeconv.transaction import require_writable

        require_writable(Path(plot).parent)
    if tune:
        tuning = edgeconv.tune(
            model,
            batch=batch or 1,
            max_threads=max_threads,
            seconds=seconds,
            device=device,
            timeout=timeout,
            progress=TerminalProgress(),
        )
        result = tuning.as_dict()
        emit(result, result["trials"], TUNING_COLUMNS, output_format)
        say(tuning.sentence())
        if tuning.unsaved:
            raise click.ClickException(f"`{tuning.path / 'manifest.json'}` is as it was: {tuning.unsaved}.")
        say(f"Saved {tuning.path / 'manifest.json'}.")
        return
    if profile:
        profiled = edgeconv.profile(model, batch=batch or 1, timeout=timeout, progress=TerminalProgress())
        result = profiled.as_dict()
        emit(result, result["layers"], profile_columns(result["variants"]), output_format)
        return
    found = edgeconv.benchmark(
        model,
        max_batch=16 if max_batch is None else max_batch,
        max_threads=max_threads,
        seconds=seconds,
        device=device,
        dataset=spec,
        timeout=timeout,
        progress=TerminalProgress(),
    )
    result = found.as_dict()
    emit(result, result["rows"], BENCHMARK_COLUMNS, output_format)
    say(f"Accuracy: {found.accuracy_source}.")
    noise = found.noise()
    if noise:
        say(f"Warning: {noise}")
    _keep(found, plot)


def _refuse_what_does_not_go_together(
    *,
    tune: bool,
    profile: bool,
    batch: int | None,
    only_measuring: tuple[Any, ...],
    max_threads: int | None,
) -> None:
    if tune and profile:
        raise click.UsageError("--tune and --profile are two commands: give one of them.")
    if batch is not None and not (tune or profile):
        raise click.UsageError("--batch goes with --tune and --profile; the largest batch to measure is --max-batch.")
    if batch is not None and batch < 1:
        raise click.BadParameter(f"must be at least 1. Received: {batch}.", param_hint="--batch")
    if (tune or profile) and any(option is not None for option in only_measuring):
        raise click.UsageError("--max-batch, --plot and --dataset do not go with --tune and --profile.")
    if profile and max_threads is not None:
        raise click.UsageError("--max-threads does not go with --profile, which runs on one thread.")
    plot = only_measuring[1]
    if plot is not None and not plot.lower().endswith(".svg"):
        raise click.BadParameter(f"must end in .svg. Received: {plot!r}.", param_hint="--plot")


def _keep(found: Benchmark, plot: str | None) -> None:
    """Write the figures beside the model, and the plot where it was asked for; the answer is out already."""
    from edgeconv.benchmarking.recording import record, write_plot

    if plot is not None:
        write_plot(found, Path(plot))
        say(f"Saved {plot}.")
    try:
        written = record(found)
    except OSError as error:
        say(f"Warning: the results were not saved beside the model: {error}.")
    else:
        if written:
            say(f"Saved {', '.join(map(str, written))}.")
