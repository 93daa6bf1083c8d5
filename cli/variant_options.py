"""The options that name variants and tasks, made from the tables of them, and the limits on a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


def variant_option(default: str, *, bundled: bool = False) -> Callable[[Command], Command]:
    """Give a command the option `--variant`.

    Args:
        default: what is taken without it, in words.
        bundled: whether only those are offered that a bundle is made of.
    """
    from edgeconv.variants import VARIANTS

    names = [row.name for row in VARIANTS.values() if row.bundled or not bundled]
    return click.option("--variant", type=click.Choice(names), help=f"Default: {default}.")


def device_option(command: Command) -> Command:
    """Give a command the option `--device`."""
    text = (
        "cpu; gpu or a provider, such as webgpu, openvino or cuda:1, without falling back to the CPU; or auto: a GPU "
        "if its results are right, else the CPU."
    )
    return click.option("--device", default="auto", show_default=True, metavar="DEVICE", help=text)(command)


def timeout_option(command: Command) -> Command:
    """Give a command the option `--timeout`."""
    text = (
        "Seconds that a call of the model may take; inf means no limit. Default: 60 for a lone file, a file without a "
        "checksum, and one that contains a loop; else inf."
    )
    return click.option("--timeout", type=float, help=text)(command)


def keep_to_free_memory(model: str | None) -> None:
    """Let this command take no more memory than is free, where a lone file is opened, which may be a stranger's."""
    if model is None or not Path(model).is_file():
        return
    from edgeconv.memory import free_memory_only

    click.get_current_context().with_resource(free_memory_only())


def task_option(command: Command) -> Command:
    """Give a command the option `--task`."""
    from edgeconv.tasks import TASKS

    text = "What the outputs mean. Default: read from the model's last activation and its loss."
    return click.option("--task", type=click.Choice(list(TASKS)), help=text)(command)


def export_options(command: Command) -> Command:
    """Give a command a flag for each variant that can be asked for; `taken_variants` reads them."""
    from edgeconv.variants import VARIANTS, flag_of

    for row in reversed(VARIANTS.values()):
        if row.option is not None:
            command = click.option(flag_of(row), is_flag=True, help=row.help)(command)
    return command


def taken_variants(options: dict[str, Any]) -> tuple[str, ...]:
    """Take the flags of `export_options` out of a command's options, and return the variants that they name."""
    from edgeconv.variants import VARIANTS

    return tuple(row.name for row in VARIANTS.values() if row.option is not None and options.pop(row.option))
