"""The programs of a node bundle, run."""

from __future__ import annotations

import subprocess
from pathlib import Path

PASS = r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+\n"


def node(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["node", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
