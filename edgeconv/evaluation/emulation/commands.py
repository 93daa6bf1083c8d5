"""Programs of others, run to their end; what went wrong with them, in one line."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

MOST_LETTERS = 300


class CommandError(Exception):
    """A program failed, or took too long. The message is the last line that it wrote to stderr."""


def find_executable(*names: str) -> str | None:
    """Return the path of the first of some programs that is installed, or None."""
    return next((path for path in map(shutil.which, names) if path is not None), None)


def run_command(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        timeout_s: seconds that it may take.
        folder: to run it in; None takes the present one.
        environment: variables for it; None hands on ours.

    Returns:
        What it wrote to stdout.

    Raises:
        CommandError: it failed, took too long, or could not be started.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"nothing within {timeout_s:.0f} seconds") from error
    except OSError as error:
        raise CommandError(f"{error.strerror}: {command[0]}") from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = lines[-1][:MOST_LETTERS].rstrip(".") if lines else f"no words, and exit code {done.returncode}"
        raise CommandError(said)
    return done.stdout
