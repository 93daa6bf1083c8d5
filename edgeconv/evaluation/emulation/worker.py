"""What runs on an emulated device: a script of our own runtime, which needs numpy and onnxruntime alone.

    python worker.py FOLDER MODEL VARIANT LEAST MOST INPUTS.npz ANSWERS.npz

FOLDER holds the package edgeconv, and nothing else: numpy and onnxruntime are the device's own.
The model gets LEAST to MOST inputs a call.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np


def main(model: str, variant: str, least: int, most: int, inputs: str, answers: str) -> None:
    """Answer arrays by input as `Runner` would on this device: with the options that it would choose."""
    from edgeconv.runtime.runner import Runner

    # Whoever started this waits as long as it may take.
    runner = Runner(model, variant=variant, timeout=math.inf)
    with np.load(inputs) as archive:
        given = dict(archive)
    count = len(next(iter(given.values())))
    parts = []
    for start in range(0, count, most):
        left = min(most, count - start)
        # A model of a fixed batch takes no less.
        taken = np.concatenate([np.arange(start, start + left), np.full(max(0, least - left), start)])
        answered = runner.run({name: array[taken] for name, array in given.items()})
        parts.append({name: array[:left] for name, array in answered.items()})
    joined: Any = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    np.savez(answers, **joined)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    main(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), *sys.argv[6:])
