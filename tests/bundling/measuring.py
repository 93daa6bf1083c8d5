"""The peak of a program's memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

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
