"""edgeconv's own way, as a user takes it: the command line in a fresh process."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.zoo.children import Ended, Limits, python, run

LAUNCH = "from edgeconv.cli.main import main; main()"
"""The installed command's own entry point: so it runs from a clone too."""


def measure(model: Path, reference: Path, limits: Limits) -> dict[str, Any]:
    """Export a model and return `outcome`, `reason`, what it cost and what `comparison` finds.

    The outcomes are those of `peers.measure`, and ``"refused"``: exit status 1 with one line and no file, in `reason`.
    """
    folder = model.with_name("exported")
    try:
        ended = _export(model, folder, limits)
        return judge(ended, folder / "model.onnx", reference, limits)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_int8(model: Path, calibration: Path, limits: Limits) -> dict[str, Any]:
    """Export with int8 and return `outcome` (``"yes"`` or ``"no"``), `reason`, `size_bytes` and `sqnr_db`.

    The gate is wide open: the classes of random weights lie so close together that rounding swaps some of them, which
    says nothing about a trained model. The signal-to-noise ratio against Keras says that int8 computes the same.
    """
    folder = model.with_name("exported-int8")
    try:
        ended = _export(model, folder, limits, "--quantize", "--calibration", str(calibration), "--max-drop", "100")
        file = folder / "model.int8.onnx"
        if ended.code != 0 or not file.is_file():
            return {"outcome": "no", "reason": ended.reason, **ended.cost}
        rows = json.loads((folder / "parity.json").read_text(encoding="utf-8"))["rows"]
        (sqnr_db,) = [row["sqnr_db"] for row in rows if row["stage"] == "int8"]
        size = {"size_bytes": _size_bytes(file), "keras_size_bytes": model.stat().st_size}
        return {"outcome": "yes", "reason": "", "sqnr_db": sqnr_db, **size, **ended.cost}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _export(model: Path, folder: Path, limits: Limits, *options: str) -> Ended:
    command = ["export", str(model), "--out", str(folder), "--format", "json", *options]
    return run([sys.executable, "-c", LAUNCH, *command], limits)


def judge(ended: Ended, file: Path, reference: Path, limits: Limits) -> dict[str, Any]:
    """Return what `measure` returns, from how the export ended and the file it should have written."""
    cost = ended.cost
    if ended.over:
        return {"outcome": f"out of {ended.over}", "reason": ended.reason, **cost}
    if ended.code != 0:
        honest = ended.code == 1 and "Traceback" not in ended.stderr and not file.exists()
        return {"outcome": "refused" if honest else "raises", "reason": ended.reason, **cost}
    judged = python("comparison", file, reference, limits=limits)
    if judged.code != 0:
        return {"outcome": "does not load", "reason": judged.reason, **cost}
    return {**json.loads(judged.stdout.splitlines()[-1]), "size_bytes": _size_bytes(file), **cost}


def _size_bytes(file: Path) -> int:
    """Return the size of a model, with external data beside it."""
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))
