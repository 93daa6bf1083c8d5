"""The commands that write, each with two inputs that give different results, and how to tell whose files are there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeconv.artifact import read_json, sha256_of
from edgeconv.benchmarking.recording import BEGIN
from edgeconv.errors import ArtifactError
from edgeconv.runtime.predictor import Predictor
from edgeconv.transaction import complete_commit
from tests.kills.artifacts import what_opens

ROOT = Path(__file__).parents[2]
EDGECONV = (sys.executable, "-c", "from edgeconv.cli.main import main; main()")


@dataclass(frozen=True)
class Command:
    """A command that writes into a folder.

    Attributes:
        name: of the command.
        arguments: of the old write and of the new one, with `{folder}` for where they write.
        state: tells which of the two a folder holds, entirely, as "old" or "new"; raises where it holds neither.
        over: whether the new one is written over the old one; else it is written where there is nothing.
    """

    name: str
    arguments: tuple[Sequence[str], Sequence[str]]
    state: Callable[[Path], str]
    over: bool = True


def run(arguments: Sequence[str], folder: Path, *, kill_at: int = 0) -> int:
    """Run a command, to be killed before its `kill_at`-th call about the folder or what lies beside it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if kill_at:
        hook = os.pathsep.join((str(ROOT / "tests" / "kills" / "hook"), str(ROOT)))
        armed = {"KILL_AT": str(kill_at), "KILL_BELOW": str(folder.parent.resolve()), "KILL_ROOT": str(ROOT)}
        environment |= {**armed, "PYTHONPATH": hook}
    filled = [argument.format(folder=folder) for argument in arguments]
    with subprocess.Popen([*EDGECONV, *filled], env=environment, cwd=folder.parent, **_SILENT) as process:
        return process.wait()


_SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def save_pictures(path: Path) -> Path:
    """Write a dataset of two classes, bright and dark, of 12 x 12 pixels."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    images = (rng.integers(0, 90, (80, 12, 12, 1)) + 160 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(path, x_train=images[:60], y_train=labels[:60], x_test=images[60:], y_test=labels[60:])
    return path


def trained(folder: Path) -> str:
    """Tell by its seed which training a folder holds; the record names the model's SHA-256."""
    complete_commit(folder)
    record = read_json(folder / "training.json")
    if record["model"]["sha256"] != sha256_of(folder / "model.keras"):
        raise ArtifactError("model.keras is not the one of training.json")
    return "new" if record["seed"] else "old"


def exported(folder: Path) -> str:
    """Tell by its variants which export a folder holds; every file is read, and the model runs."""
    what_opens(folder)
    with Predictor(folder) as model:
        model.predict(np.zeros((12, 12, 1), np.uint8))
        names = set(model.manifest.variants)
    rows = {row["stage"] for row in read_json(folder / "parity.json")["rows"]}
    if rows - {"keras"} != names:
        raise ArtifactError(f"parity.json has {rows}, manifest.json {names}")
    return "new" if "int8" in names else "old"


def tuned(folder: Path) -> str:
    """Tell whether the manifest of a sound artifact has a device's options."""
    what_opens(folder)
    return "new" if read_json(folder / "manifest.json").get("session") else "old"


def measured(folder: Path) -> str:
    """Tell whether a benchmark is there; then the report shows it."""
    what_opens(folder)
    complete_commit(folder)
    there = (folder / "benchmark.json").is_file()
    if there != (BEGIN in (folder / "report.html").read_text(encoding="utf-8")):
        raise ArtifactError("benchmark.json and report.html are of two benchmarks")
    return "new" if there else "old"


def bundled(folder: Path) -> str:
    """Tell whether a bundle is there; then every file of it is."""
    if not folder.exists():
        return "old"
    if run(["bundle", "--check", "{folder}"], folder):
        raise ArtifactError("the bundle is not whole")
    return "new"
