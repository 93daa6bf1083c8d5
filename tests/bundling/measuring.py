"""The peak of a program's memory, and what it says when its stdout takes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple

_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""

MOST_MB = 500
"""What a bundle may take for any file, beside what it takes for a small one."""


class Measured(NamedTuple):
    """How a program ended, what it wrote, and the most memory that it had."""

    returncode: int
    stdout: str
    stderr: str
    peak_mb: float


def measured(folder: Path, *command: Any) -> Measured:
    """Run a program in a folder; one that waits for something fails after a minute."""
    command = (sys.executable, "-c", _MEASURE, *map(str, command))
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    *lines, peak = done.stderr.splitlines()
    return Measured(done.returncode, done.stdout, "".join(f"{line}\n" for line in lines), int(peak) / 1024)


def unread(folder: Path, *command: Any) -> tuple[int, str]:
    """Run a program whose stdout nobody reads; return its exit code, and what it says."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        return _said(folder, command, stdout)


def full(folder: Path, *command: Any) -> tuple[int, str]:
    """Run a program whose stdout is a disk that is full; return its exit code, and what it says."""
    with open("/dev/full", "wb") as stdout:  # noqa: PTH123 - a device
        return _said(folder, command, stdout)


def _said(folder: Path, command: tuple[Any, ...], stdout: IO[bytes]) -> tuple[int, str]:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    return done.returncode, done.stderr
