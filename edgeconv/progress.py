"""Messages and progress of long work, for its caller.

The library never prints. A stage takes a `Progress` and speaks to it; the command line passes one that draws
bars on a terminal, and `SILENT` is the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int, str], None]
"""Call with the number of steps done since the last call, and a short status such as ``"loss 0.031"``."""


class Progress(Protocol):
    """Receives messages and progress bars of a long-running function."""

    def say(self, message: str) -> None:
        """Tell one line, without a line feed at its end."""

    def bar(self, description: str, total: int | None) -> AbstractContextManager[Advance]:
        """Open a bar of `total` steps (None: unknown); the value of the context advances it."""


class _Silent:
    def say(self, message: str) -> None:
        del message

    @contextmanager
    def bar(self, description: str, total: int | None) -> Iterator[Advance]:
        del description, total
        yield self._advance

    def _advance(self, steps: int, status: str) -> None:
        del steps, status


SILENT: Progress = _Silent()
"""A listener that ignores everything."""
