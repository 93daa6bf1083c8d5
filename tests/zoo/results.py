"""The results file: written after every step, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "results.json"
PACKAGES = ("keras", "tensorflow", "tf2onnx", "onnx", "onnxruntime", "numpy")


def read(file: Path) -> dict[str, Any]:
    """Return the stored results, or empty ones."""
    if file.is_file():
        stored: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return stored
    return {"packages": {}, "python": "", "models": {}}


def record(file: Path, name: str, part: str, found: dict[str, Any]) -> None:
    """Store one part of a model's results, and the versions they were measured with."""
    results = read(file)
    results["packages"] = {package: version(package) for package in PACKAGES}
    results["python"] = platform.python_version()
    results["models"].setdefault(name, {})[part] = found
    sibling = file.with_name(f".{file.name}")
    sibling.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sibling.replace(file)
