"""The program of a python bundle, run; and its package, loaded."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import ModuleType

from edgeconv.bundling.bundler import bundle

PASS = r"PASS: 16 samples; preparation within [01] of 1 grey levels, probabilities within 0\.\d+ of 0\.\d+\n"

_numbers = count()


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program as an app's user does; `-E` hides this repository from it."""
    command = [sys.executable, "-B", "-E", "predict.py", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


def verdict_of(artifact: Path, out: Path) -> tuple[str, ...]:
    """Bundle an artifact, and return what its self-test says."""
    package = load(bundle(artifact, target="python", out=out).path)
    verdict: tuple[str, ...] = package.selftest(package.Model()).verdict
    return verdict


def load(folder: Path) -> ModuleType:
    """Load a bundle's package under a name of its own, as an app that has several may."""
    name = f"bundled_model_{next(_numbers)}"
    file = folder / "model" / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(file.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module
