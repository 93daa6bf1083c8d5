"""A network's bundles in four languages, built, with what each answers to the golden vectors in its own program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeconv.bundling.browser import ARGUMENTS, chromium, served
from edgeconv.bundling.bundler import bundle
from edgeconv.bundling.checking import check_bundle
from tests.benchmarks.tasks.networks import HOME

TARGETS = ("python", "node", "web", "c")
PATIENCE_MS = 120_000


class Told(NamedTuple):
    """What a self-test says in words, and what the program answers to each sample: arrays by output, (n, ...)."""

    verdict: str
    answers: Mapping[str, NDArray[Any]]


def run_bundle(artifact: Path, target: str) -> Told:
    """Bundle an artifact's int8, build the bundle, check its files and run its self-test."""
    out = HOME / artifact.parent.name / f"bundle-{target}"
    shutil.rmtree(out, ignore_errors=True)
    made = bundle(artifact, target=target, variant="int8", out=out).path.resolve()
    told = _RUNS[target](made)
    if not all(check.passed for check in check_bundle(made)):
        raise RuntimeError(f"{made}: a file is not what was made.")
    return told


def _python(folder: Path) -> Told:
    return _of_process(folder, sys.executable, "-B", "-E", "predict.py", "--selftest", "--rows")


def _node(folder: Path) -> Told:
    (folder / "node_modules").symlink_to(_installed(folder, "node"))
    return _of_process(folder, "node", "selftest.mjs", "selftest.bin", "--rows")


def _c(folder: Path) -> Told:
    if not os.environ.get("ONNXRUNTIME_INCLUDE_DIR"):
        sys.exit("The C bundle requires ONNX Runtime's C headers. Name their folder in ONNXRUNTIME_INCLUDE_DIR.")
    _run(folder, "cmake", "-S", ".", "-B", "build", f"-DPython3_EXECUTABLE={sys.executable}")
    _run(folder, "cmake", "--build", "build")
    return _of_process(folder, "build/selftest", "--rows")


def _web(folder: Path) -> Told:
    """Build the page, and open its self-test in Chromium."""
    from playwright.sync_api import sync_playwright

    (folder / "node_modules").symlink_to(_installed(folder, "web"))
    _run(folder, "npm", "run", "build", "--silent")
    app = folder / "app"
    options: dict[str, Any] = {"executable_path": chromium(), "args": list(ARGUMENTS)}
    with (
        served(app, (app / "selftest.bin").read_bytes()) as address,
        sync_playwright() as playwright,
        playwright.chromium.launch(**options) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{address}/selftest.html")
        page.locator("#verdict.pass, #verdict.fail").wait_for(timeout=PATIENCE_MS)
        words = f"{page.title()}: {page.locator('#findings').inner_text()}"
        return Told(words, _answers(json.loads(page.locator("#rows").text_content() or "[]")))


_RUNS = {"python": _python, "node": _node, "web": _web, "c": _c}


def _of_process(folder: Path, *command: str) -> Told:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)
    lines = done.stderr.strip().splitlines()
    verdict = lines[-1] if lines else f"exit code {done.returncode}"
    return Told(verdict, _answers([json.loads(line) for line in done.stdout.splitlines()]))


def _answers(rows: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    names = rows[0]["outputs"] if rows else ()
    return {name: np.array([np.ravel(row["outputs"][name]) for row in rows]) for name in names}


def _installed(folder: Path, target: str) -> Path:
    """Return the packages from npm that bundles of a target need, installed once for all networks."""
    home = (HOME / f"npm-{target}").resolve()
    if not (home / "node_modules").is_dir():
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "package.json", home)
        _run(home, "npm", "install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
    return home / "node_modules"


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
