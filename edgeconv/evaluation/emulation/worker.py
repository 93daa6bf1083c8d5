"""What runs on an emulated device: a script of our own runtime, which needs numpy and onnxruntime alone.

    python worker.py FOLDER MODEL VARIANT SIZE IMAGES.npy ANSWERS.npy

FOLDER holds the package edgeconv, and nothing else: numpy and onnxruntime are the device's own.
The model gets SIZE images a call.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def main(model: str, variant: str, size: int, images: str, answers: str) -> None:
    """Answer images as `Predictor` would on this device: with the options that it would choose."""
    from edgeconv.runtime.loading import open_model

    opened = open_model(Path(model), variant=variant, device="cpu", threads=1)
    given = np.load(images)
    parts = []
    for start in range(0, len(given), size):
        part = given[start : start + size]
        # A model of a fixed batch takes no less.
        filled = np.concatenate([part, np.repeat(part[:1], size - len(part), axis=0)])
        parts.append(opened.session.run(filled)[: len(part)])
    np.save(answers, np.concatenate(parts))


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main(sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
