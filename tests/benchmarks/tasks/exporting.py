"""A network's int8 files: as shipped by default, plain, and with each step that the search may take."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeconv.conversion.int8.feeds import surveyed
from edgeconv.conversion.int8.quantizing import prepare
from edgeconv.conversion.int8.search.candidates import Candidates
from edgeconv.conversion.int8.search.settings import Settings
from edgeconv.conversion.int8.targets import DEFAULT_TARGET, scheme_of
from tests.benchmarks.networks import edgeconv
from tests.benchmarks.tasks.network import Data, TaskNetwork

CALIBRATED = 500
MAX_DROP = "0.5"
"""Percent of the metric, the target of the table; of accuracy, percentage points."""

PLAIN = Settings()
STEPS = {
    "equalization": Settings(equalized=True),
    "bias correction": Settings(corrected=True),
    "adaptive rounding": Settings(rounded=True),
    "equalization and bias correction": Settings(equalized=True, corrected=True),
}


def export(network: TaskNetwork, model: Path, data: Data, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `edgeconv export --quantize` on a network, with validation data to choose int8 on, into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--quantize", "--max-drop", MAX_DROP, *network.options, *_data_options(network, data, model.parent)]
    return edgeconv("export", str(model), *options, "--out", str(folder))


def is_plain(folder: Path) -> bool:
    """Tell whether an artifact's int8 has ranges from minimum to maximum, and nothing that the search may add."""
    steps = json.loads((folder / "parity.json").read_text(encoding="utf-8"))["int8_search"]["steps"]
    return len(steps) == 1


def quantize(fp32: Path, samples: NDArray[Any], settings: Settings) -> bytes:
    """Return int8 of an fp32 file, made with these settings, without a search."""
    model = onnx.load(fp32)
    name = model.graph.input[0].name

    def blocks(start: int) -> Any:
        yield {name: samples[start:]}

    feeds = surveyed(blocks, len(samples), dataset="train", split="train", seed=0)
    candidates = Candidates(prepare(model), feeds, scheme_of(DEFAULT_TARGET))
    made: bytes = candidates.quantize(settings, ()).model.SerializeToString()
    return made


def calibration_of(data: Data) -> NDArray[Any]:
    """Return the training inputs that ranges are measured on."""
    return data.train.x[:CALIBRATED]


def _data_options(network: TaskNetwork, data: Data, folder: Path) -> list[str]:
    calibration, validation = folder / "calibration.npz", folder / "validation.npz"
    held = data.validation
    if network.labelled:
        own = data.train.x[:CALIBRATED], data.train.y[:CALIBRATED]
        np.savez(validation, x_train=own[0], y_train=own[1], x_test=held.x, y_test=held.y)
        return ["--dataset", str(validation)]
    np.savez(calibration, x=calibration_of(data))
    options = ["--calibration", str(calibration)]
    if network.judged:
        np.savez(validation, x=held.x, y=held.y)
        return [*options, "--dataset", str(validation)]
    np.savez(validation, held.x)
    return options


def require(ended: subprocess.CompletedProcess[str], what: str) -> None:
    """Leave the program where a command failed; a gate that did not hold is no failure."""
    if ended.returncode not in (0, 3):
        sys.exit(f"{what}: ended with exit status {ended.returncode}.")
