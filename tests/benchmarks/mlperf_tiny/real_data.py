"""The benchmark's own data, for those who have them, with its quality targets as gates.

They are looked for in `mlperf-tiny/data` below `$EDGECONV_DATA`:

- `ic`: CIFAR-10's `cifar-10-batches-bin/test_batch.bin` (A. Krizhevsky, 2009: a label and 3 x 32 x 32 bytes a picture);
- `vww`: `vw_coco2014_96/person` and `vw_coco2014_96/non_person`, pictures of 96 x 96, as the benchmark prepares COCO;
- `kws`: `kws_test.npz` with `x`, float32 (n, 49, 10, 1), the MFCC of Speech Commands as the benchmark computes them,
  and `y`, (n,), 0-11;
- `ad`: `toycar_test.npz` with `x`, float32 (recordings, frames, 640), the log-mel windows of ToyADMOS's cars, and `y`,
  (recordings,), 1 for an anomaly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.parity.auc import area_under_curve
from tests.benchmarks.mlperf_tiny.measuring import Answer
from tests.benchmarks.mlperf_tiny.models import TinyModel

Data = tuple[NDArray[Any], NDArray[np.int64]]
"""Inputs, (n, ...), and what is right, (n,)."""

CIFAR_SIDE = 32


def load(model: TinyModel, home: Path) -> Data:
    """Return the test data of a model, or end with one line that says what is required."""
    name, read = _READERS[model.name]
    if not (home / name).exists():
        sys.exit(f"`{home / name}` is required for the quality of {model.title}. Received: no such file or folder.")
    return read(home / name)


def quality(model: TinyModel, answer: Answer, data: Data) -> float:
    """Return the accuracy, or of anomalies the AUC of the mean error of a recording, 0 to 1."""
    inputs, right = data
    if model.answers_classes:
        return float(np.mean([answer(given).argmax() == wanted for given, wanted in zip(inputs, right, strict=True)]))
    errors = [np.mean([np.square(answer(window) - window).mean() for window in frames]) for frames in inputs]
    area = area_under_curve(np.array(errors), right.astype(bool))
    return 0.0 if area is None else area


def _cifar(file: Path) -> Data:
    rows = np.fromfile(file, np.uint8).reshape(-1, 1 + 3 * CIFAR_SIDE**2)
    pictures = rows[:, 1:].reshape(-1, 3, CIFAR_SIDE, CIFAR_SIDE).transpose(0, 2, 3, 1)
    return pictures.astype(np.float32), rows[:, 0].astype(np.int64)


def _wake_words(home: Path) -> Data:
    from PIL import Image

    pictures, labels = [], []
    for label, name in enumerate(("non_person", "person")):
        for file in sorted((home / name).iterdir()):
            with Image.open(file) as opened:
                pictures.append(np.asarray(opened.convert("RGB"), np.float32))
            labels.append(label)
    return np.stack(pictures), np.array(labels)


def _arrays(file: Path) -> Data:
    with np.load(file) as arrays:
        return arrays["x"], arrays["y"].astype(np.int64)


_READERS: dict[str, tuple[str, Callable[[Path], Data]]] = {
    "ic": ("cifar-10-batches-bin/test_batch.bin", _cifar),
    "vww": ("vw_coco2014_96", _wake_words),
    "kws": ("kws_test.npz", _arrays),
    "ad": ("toycar_test.npz", _arrays),
}
