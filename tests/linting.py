"""Formatters and linters of generated code; a test skips where the tool is absent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

LINTERS = Path(__file__).parent / "bundling" / "linters"
"""The folder of the tools from npm, at pinned versions."""


def check_python(file: Path) -> None:
    """Require a file, or all below a folder, to be as ruff formats and lints it by default."""
    _require("ruff")
    _check([sys.executable, "-m", "ruff", "format", "--isolated", "--no-cache", "--check", file.name], file.parent)
    _check([sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", file.name], file.parent)


def check_python_types(file: Path) -> None:
    """Require a file, or all below a folder, to be right in mypy's strict eyes."""
    _require("mypy")
    cache = ("--cache-dir", os.devnull)
    _check([sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", *cache, file.name], file.parent)


def check_javascript(folder: Path, *files: str) -> None:
    """Require files of a folder, by default all, to be as prettier formats them and eslint passes them."""
    # Not the manifest: it has the layout of edgeconv's other manifests.
    _check([npm_tool("prettier"), "--check", *(files or (".", "!**/manifest.json"))], folder)
    code = [file for file in files if file.endswith((".js", ".mjs")) and not file.startswith("!")] or ["."]
    _check([npm_tool("eslint"), "--config", str(LINTERS / "eslint.config.js"), *code], folder)


def check_typescript(folder: Path, file: str, *, emit: bool = False) -> None:
    """Require a file of a folder to pass TypeScript's strict checks in Node; `emit` also writes its JavaScript."""
    options = ["--strict", "--module", "nodenext", "--target", "es2023", "--noEmitOnError", "--ignoreConfig"]
    types = ["--typeRoots", str(LINTERS / "node_modules" / "@types"), "--types", "node"]
    _check([npm_tool("tsc"), *options, *types, *(() if emit else ("--noEmit",)), file], folder)


def npm_tool(name: str) -> str:
    """Return the path of a tool from npm, or skip the test."""
    tool = LINTERS / "node_modules" / ".bin" / name
    if shutil.which("node") is None or not tool.exists():
        pytest.skip(f"needs {name}: `npm install --ignore-scripts` in tests/bundling/linters")
    return str(tool)


def _require(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: pip install 'edgeconv[dev]'")


def _check(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
