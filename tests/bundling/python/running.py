"""The program of a python bundle, run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PASS = r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+\n"


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program as an app's user does; `-I` hides this repository from it."""
    command = [sys.executable, "-I", "predict.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
