"""What runs in the environment of a GPU: the ledger of each variant on a device, and its time by the size of a batch.

    python -m tests.gpu.measuring MODEL DEVICE

It needs edgeconv, numpy and an ONNX Runtime, and writes a JSON object as the last line of stdout.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import edgeconv
from edgeconv.datasets import DatasetSpec
from edgeconv.datasets.opening import open_dataset
from edgeconv.diagnosis.findings import WORKS
from edgeconv.errors import ProviderError
from edgeconv.runtime.golden import Samples
from edgeconv.variants import VARIANTS

BATCHES = tuple(4**power for power in range(7))
"""1 to 4,096 inputs."""

CALLS, WARM_UP = 20, 3

TEST_IMAGES = 10_000
"""Of MNIST, where $EDGECONV_DATA has it: held against the same file on the CPU."""


def measured(model: Path, device: str) -> dict[str, Any]:
    """Return what a device is and what each float variant of a model answers on it, and how fast.

    Args:
        model: an artifact's folder.
        device: what is asked for.
    """
    findings = edgeconv.diagnose(device).findings
    told = [finding.as_dict() for finding in findings if finding.state != "absent" or finding.subject == device]
    works = any(finding.subject == device and finding.state == WORKS for finding in findings)
    names = [name for name, row in VARIANTS.items() if (model / row.file).is_file() and row.runs_on_gpu]
    return {"works": works, "findings": told, "rows": {name: _row(model, device, name) for name in names if works}}


def _row(model: Path, device: str, name: str) -> dict[str, Any]:
    try:
        predictor = edgeconv.Predictor(model, variant=name, device=device)
    except ProviderError as error:
        return {"error": str(error)}
    samples = Samples.load(model / "samples.npz")
    answers = predictor.probabilities(samples.images)
    known = (
        {"test": _on_test_images(predictor, edgeconv.Predictor(model, variant=name, device="cpu"))}
        if os.environ.get("EDGECONV_DATA")
        else {}
    )
    return {
        **known,
        "images": len(answers),
        "flips": int(np.count_nonzero(answers.argmax(axis=1) != samples.probabilities.argmax(axis=1))),
        "max_abs_dp": float(np.abs(answers - samples.probabilities).max()),
        "ms_by_batch": {batch: _median_ms(predictor, samples.images, batch) for batch in BATCHES},
    }


def _on_test_images(predictor: edgeconv.Predictor, on_cpu: edgeconv.Predictor) -> dict[str, Any]:
    """Return how answers to test images differ from those of the same file on the CPU."""
    images = open_dataset(DatasetSpec("mnist")).test.images[:TEST_IMAGES]
    expected = np.concatenate([on_cpu.probabilities(image[None]) for image in images])
    start = time.perf_counter()
    answers = predictor.probabilities(images)
    return {
        "images": len(images),
        "flips": int(np.count_nonzero(answers.argmax(axis=1) != expected.argmax(axis=1))),
        "max_abs_dp": float(np.abs(answers - expected).max()),
        "ms_an_image": 1000.0 * (time.perf_counter() - start) / len(images),
    }


def _median_ms(predictor: edgeconv.Predictor, images: Any, batch: int) -> float:
    inputs = np.resize(images, (batch, *images.shape[1:]))
    times = []
    for _ in range(WARM_UP + CALLS):
        start = time.perf_counter()
        predictor.probabilities(inputs)
        times.append(1000.0 * (time.perf_counter() - start))
    return float(np.median(times[WARM_UP:]))


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]), sys.argv[2])))
