"""`edgeconv doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .output import chosen_format, emit, format_option, printable
from .progress import TerminalProgress

if TYPE_CHECKING:
    from edgeconv.diagnosis.findings import Diagnosis


@click.command()
@click.option(
    "--device", metavar="DEVICE", help="Try only this: cpu, gpu or a provider such as webgpu; exit 1 if it fails."
)
@click.option("--timeout", default=120.0, show_default=True, help="Seconds that a provider's trial may take.")
@format_option
def command(device: str | None, timeout: float, output_format: str | None) -> None:
    """Show what works on this machine, and how to fix the rest.

    Each execution provider runs a tiny model in a process of its own. Also shown are ONNX Runtime's build, CUDA, the
    processor and what it means for int8, cores and memory in a container, telemetry and caches.

    \b
    Example: edgeconv doctor --device gpu
    """
    import edgeconv

    diagnosis = edgeconv.diagnose(device, timeout=timeout, progress=TerminalProgress())
    if chosen_format(output_format) == "table":
        _tell(diagnosis)
    else:
        result = diagnosis.as_dict()
        emit(result, result["findings"], {}, output_format)
    if not diagnosis.works:
        click.get_current_context().exit(1)


def _tell(diagnosis: Diagnosis) -> None:
    """Write a line for each finding, and one below it for what mends it: sentences are too long for a table."""
    subjects = max(len(finding.subject) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        click.echo(printable(f"{finding.state:<6}  {finding.subject:<{subjects}}  {finding.text}"))
        if finding.remedy:
            click.echo(printable(f"{'':<{8 + subjects}}  -> {finding.remedy}"))
