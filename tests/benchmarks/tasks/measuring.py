"""A network's figures: what each file scores on test samples that nothing was chosen on, its bytes and its time."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tests.benchmarks.tasks.exporting import PLAIN, STEPS, calibration_of, export, is_plain, quantize, require
from tests.benchmarks.tasks.network import Data, TaskNetwork
from tests.benchmarks.tasks.networks import HOME, keras_file
from tests.benchmarks.tasks.running import answers_of, time_alternately

MOST_LOST = 0.005
"""Share of the metric that int8 may lose; where plain int8 loses more, each step is tried by itself."""


def measure(network: TaskNetwork) -> dict[str, Any]:
    """Train a network where it is not there yet, export it, and return its figures but the times."""
    data, model, folder = network.data(), keras_file(network), artifact_of(network)
    ended = export(network, model, data, folder)
    require(ended, network.title)
    fp32, int8 = folder / "model.onnx", folder / "model.int8.onnx"
    passed = ended.returncode == 0
    scores = {"keras": _keras_score(network, model, data), "fp32": score(network, fp32, data)}
    shipped = int8.read_bytes()
    scores["int8"] = score(network, shipped, data)
    plain = shipped if is_plain(folder) else quantize(fp32, calibration_of(data), PLAIN)
    scores["plain int8"] = score(network, plain, data)
    if scores["plain int8"] < scores["fp32"] * (1 - MOST_LOST):
        scores |= {
            name: score(network, quantize(fp32, calibration_of(data), settings), data)
            for name, settings in STEPS.items()
        }
    return {
        "metric": network.metric,
        "parameters": _parameters(model),
        "test_samples": len(data.test.x),
        "passed": passed,
        "scores": scores,
        "bytes": {"fp32": fp32.stat().st_size, "int8": int8.stat().st_size},
        "settings": _settings(folder),
        "in_float": _in_float(folder),
    }


def measure_times(network: TaskNetwork) -> dict[str, Any]:
    """Return the times of the artifact's two files, in turn: medians in microseconds, and the median of the ratios."""
    folder = artifact_of(network)
    files = {"fp32": folder / "model.onnx", "int8": folder / "model.int8.onnx"}
    sample = folder.parent / "sample.npy"
    if not sample.is_file():
        np.save(sample, network.data().test.x[:1])
    rounds = time_alternately(files, np.load(sample))
    ratios = [int8 / fp32 for fp32, int8 in zip(rounds["fp32"], rounds["int8"], strict=True)]
    return {"fp32_us": median(rounds["fp32"]), "int8_us": median(rounds["int8"]), "ratio": median(ratios)}


def artifact_of(network: TaskNetwork) -> Path:
    """Return the folder of a network's artifact."""
    return HOME / network.name / "artifact"


def score(network: TaskNetwork, file: Path | bytes, data: Data) -> float:
    """Return what a file scores on the test samples."""
    return network.score(answers_of(file, data.test.x), data.test)


def _keras_score(network: TaskNetwork, model: Path, data: Data) -> float | None:
    """Return what Keras scores, or None where the file has more in it than the model: the detections of a detector."""
    import keras

    answers = keras.models.load_model(model, compile=False).predict(data.test.x, batch_size=256, verbose=0)
    return None if isinstance(answers, dict) else network.score({"answer": answers}, data.test)


def _parameters(model: Path) -> int:
    import keras

    return int(keras.models.load_model(model, compile=False).count_params())


def _settings(folder: Path) -> str:
    """Return what the search chose, in words."""
    found = json.loads((folder / "parity.json").read_text(encoding="utf-8"))["int8_search"]
    return str(found["steps"][-1].get("what", "")) if len(found["steps"]) > 1 else "minmax"


def _in_float(folder: Path) -> dict[str, int]:
    """Return how many nodes of each operator stay in float, as the manifest lists them."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return dict(sorted(Counter(node["operator"] for node in manifest["variants"]["int8"]["float_nodes"]).items()))
