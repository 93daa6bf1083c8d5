"""Words and progress bars on stderr; bars only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .output import say


class TerminalProgress:
    """The listener that the command line gives to the library."""

    def say(self, message: str) -> None:
        """Write one line."""
        say(message)

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
        """Draw a bar with the time left while the block runs."""
        if not sys.stderr.isatty():
            yield no_bar
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[status]}"),
        )
        with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, redirect_stderr=False) as progress:
            task = progress.add_task(description, total=total, status="")

            def advance(steps: int, status: str) -> None:
                progress.update(task, advance=steps, status=status)

            yield advance


def no_bar(steps: int, status: str) -> None:
    """Advance nothing: what stands in where no bar is drawn."""
    del steps, status
