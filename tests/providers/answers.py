"""What runs in an environment: the state of a device there, and what each variant of a model answers on it.

    python -m tests.providers.answers MODEL DEVICE IMAGES VARIANT...

It needs edgeconv, numpy and an ONNX Runtime, and writes a JSON object as the last line of stdout.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import numpy as np

import edgeconv
from edgeconv.datasets import DatasetSpec
from edgeconv.datasets.opening import open_dataset
from edgeconv.errors import ProviderError
from edgeconv.runtime.golden import Samples


def answers_of(model: Path, device: str, count: int, names: list[str]) -> dict[str, Any]:
    """Return the state of a device, the packages of ONNX Runtime, and a row for each variant of a model on it.

    Args:
        model: an artifact's folder.
        device: what is asked for.
        count: test images of MNIST in $EDGECONV_DATA; 0 takes the golden vectors.
        names: of the variants.
    """
    findings = {finding.subject: finding for finding in edgeconv.diagnose(device).findings}
    return {
        "state": findings[device].state,
        "installation": findings["onnxruntime"].text,
        "packages": {
            name: version(name)
            for name in sorted({dist.metadata["Name"] for dist in distributions()})
            if "onnxruntime" in name
        },
        "rows": {name: row_of(model, device, count, name) for name in names},
    }


def row_of(model: Path, device: str, count: int, name: str) -> dict[str, Any]:
    """Return how a variant's answers differ from Keras', or, on test images, from its own on the CPU."""
    try:
        predictor = edgeconv.Predictor(model, variant=name, device=device)
    except ProviderError as error:
        return {"error": str(error)}
    if count:
        images = open_dataset(DatasetSpec("mnist")).test.images[:count]
        on_cpu = edgeconv.Predictor(model, variant=name, device="cpu")
        # One by one: a file for an NPU takes no other batch.
        expected = np.concatenate([on_cpu.probabilities(image[None]) for image in images])
    else:
        samples = Samples.load(model / "samples.npz")
        images, expected = samples.images, samples.probabilities
    start = time.perf_counter()
    answers = predictor.probabilities(images)
    return {
        "images": len(images),
        "flips": int(np.count_nonzero(answers.argmax(axis=1) != expected.argmax(axis=1))),
        "max_abs_dp": float(np.abs(answers - expected).max()),
        "ms_an_image": 1000.0 * (time.perf_counter() - start) / len(images),
    }


if __name__ == "__main__":
    print(json.dumps(answers_of(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])))
