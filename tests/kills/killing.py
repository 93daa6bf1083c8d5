"""A process that dies at the n-th call of the system that changes a folder: the process of a fork, or of a command."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

CALLS = ("mkdir", "chmod", "fsync", "rename", "replace", "unlink", "rmdir")
"""What changes names, or makes them durable."""


def killed_at(number: int, write: Callable[[], object]) -> bool:
    """Run a write in a fork that kills itself before the `number`-th of CALLS; tell whether it came so far."""
    child = os.fork()
    if child == 0:
        try:
            arm(number)
            write()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def arm(number: int, below: str = "") -> None:
    """Kill this process before its `number`-th call that is about something below a folder; 1 is the first."""
    left = number

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(subject: Any, *arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= not below or _path(subject).startswith(below)
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(subject, *arguments, **options)

        return counted

    os.fsync = lambda _: None  # A killed process loses nothing that it wrote; only a machine does.
    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))


def _path(subject: Any) -> str:
    return os.path.realpath(f"/proc/self/fd/{subject}" if isinstance(subject, int) else subject)
