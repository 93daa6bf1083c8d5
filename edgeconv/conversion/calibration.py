"""The images that int8 ranges are measured on: training images, drawn by seed, as many of each class."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader

from edgeconv.datasets import Split

BATCH = 50
VALUES_AT_ONCE = 2**21
"""Input values a batch: the ranges of large pictures are measured on fewer at once."""


@dataclass(frozen=True)
class Calibration:
    """Calibration images and where they come from.

    Attributes:
        images: what the model eats, (n, height, width, channels): uint8 0-255 where that is pixels.
        record: what the manifest says of them: dataset, split, count, seed, digest.
    """

    images: NDArray[Any]
    record: Mapping[str, Any]


def draw_calibration(train: Split, *, dataset: str, size: int, seed: int) -> Calibration:
    """Draw calibration images from the training split, class by class in turn.

    Args:
        train: the training split; the test split has no business here.
        dataset: its name, for the record.
        size: how many; the whole split where it has fewer.
        seed: equal seeds draw equal images.

    Returns:
        The images in the order of the split, class counts equal to within one as far as each class has enough.
    """
    generator = np.random.default_rng(seed)
    queues = [generator.permutation(np.flatnonzero(train.labels == label)) for label in np.unique(train.labels)]
    # Rank r of a class is drawn in round r: sorting by round takes one of each class in turn.
    rounds = np.concatenate([np.arange(len(queue)) for queue in queues])
    order = np.argsort(rounds, kind="stable")[:size]
    chosen = np.sort(np.concatenate(queues)[order])
    images = np.ascontiguousarray(train.images[chosen])
    record = {
        "dataset": dataset,
        "split": "train",
        "size": len(images),
        "seed": seed,
        "sha256": hashlib.sha256(images.tobytes()).hexdigest(),
    }
    return Calibration(images, record)


class ImageReader(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no types.
    """Feeds calibration images to ONNX Runtime's quantizer, as float32 of the same values."""

    def __init__(self, images: NDArray[Any], input_name: str, batch: int | None = None) -> None:
        size = batch or max(1, min(BATCH, VALUES_AT_ONCE // max(1, int(np.prod(images.shape[1:])))))
        # A file with a batch size of its own takes no smaller one: what is left over is left out.
        last = len(images) if batch is None else len(images) - len(images) % size
        self._batches = (images[start : start + size] for start in range(0, last, size))
        self._input_name = input_name

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next batch, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {self._input_name: batch.astype(np.float32)}
