"""`edgeconv evaluate`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from .data_options import data_options, given_spec_of, loader_option, stated_alone
from .output import emit, format_option
from .parity_table import parity_columns
from .progress import TerminalProgress
from .variant_options import device_option, keep_to_free_memory, timeout_option


@click.command()
@click.argument("model", required=False)
@data_options
@click.option(
    "--max-drop",
    type=float,
    help="Percent that may be lost. Default: 0.2 points of accuracy; 1 for int8 of other tasks.",
)
@click.option(
    "--metric", metavar="MODULE:FUNCTION", help="Your metric for labelled data: outputs and targets in, a number out."
)
@click.option("--bundle", "bundles", metavar="DIR", multiple=True, help="A bundle to run too; repeatable.")
@click.option("--images", type=click.IntRange(1), help="Use only the first so many test images.")
@click.option(
    "--emulate",
    metavar="DEVICE",
    multiple=True,
    help="Run int8 on this processor too, emulated by QEMU: pi4, pi5, avx2 (x86 without VNNI) or all; repeatable.",
)
@device_option
@click.option("--provider", metavar="DEVICE", help="Name the first node whose result differs on this provider.")
@click.option("--against", metavar="DEVICE", help="With --provider: the provider to compare with. Default: cpu.")
@loader_option
@click.option(
    "--custom-objects",
    metavar="MODULE[:NAME]",
    multiple=True,
    help="Module with the model's own classes, or one of them; repeatable.",
)
@timeout_option
@format_option
def command(
    model: str | None,
    max_drop: float | None,
    metric: str | None,
    bundles: tuple[str, ...],
    images: int | None,
    emulate: tuple[str, ...],
    device: str,
    provider: str | None,
    against: str | None,
    loader: str | None,
    custom_objects: tuple[str, ...],
    timeout: float | None,
    output_format: str | None,
    **options: Any,
) -> None:
    """Measure accuracy and parity of MODEL again, on any data.

    MODEL is an artifact's folder or a lone .onnx file. Default: the newest under exported/, else the model that the
    package ships. Without --dataset: the test split of its training data, or its golden vectors. For tasks other than
    classes, --dataset is an .npz of arrays by the names of inputs and outputs, a .csv of pictures and labels, or a
    folder of pictures, with images/ and masks/ for masks. The exit code is 3 if a gate fails.

    \b
    Example: edgeconv evaluate exported/mnist --max-drop 0.1
    """
    import edgeconv
    from edgeconv.errors import ParityError

    if against is not None and provider is None:
        raise click.UsageError("--against goes with --provider: name both, or leave --against out.")
    if provider is not None:
        _compare_providers(model, provider, against or "cpu", timeout, output_format)
        return
    alone = stated_alone(options)
    if alone is not None:
        raise click.UsageError(f"{alone} is for pictures that are named. Add --dataset, or leave it out.")
    spec = given_spec_of(options)
    keep_to_free_memory(model)
    ledger = edgeconv.evaluate(
        model,
        dataset=spec,
        max_drop=max_drop,
        metric=metric,
        bundles=bundles,
        images=images,
        emulate=emulate,
        device=device,
        loader=loader,
        custom_objects=custom_objects,
        timeout=timeout,
        progress=TerminalProgress(),
    )
    result = ledger.as_dict()
    emit(result, result["rows"], parity_columns(ledger), output_format)
    if not ledger.passed:
        raise ParityError(f"Every gate must hold. Received: {ledger.failures()}. Allow more with `--max-drop`.", ledger)


def _compare_providers(
    model: str | None, provider: str, against: str, timeout: float | None, output_format: str | None
) -> None:
    from edgeconv.errors import ParityError
    from edgeconv.evaluation.between_providers import compare_providers

    found = [
        comparison.as_dict()
        for comparison in compare_providers(
            model, provider=provider, against=against, timeout=timeout, progress=TerminalProgress()
        )
    ]
    columns = {name: partial(_cell, name) for name in ("variant", "provider", "against", "node", "operator", "problem")}
    emit({"comparisons": found}, found, columns, output_format)
    wrong = [row["variant"] for row in found if row["problem"]]
    if wrong:
        raise ParityError(
            f"`{provider}` must answer as `{against}` does. Received: other answers of {', '.join(wrong)}. Leave these "
            "to the CPU."
        )


def _cell(name: str, row: Mapping[str, Any]) -> str:
    return str(row[name]) or "-"
