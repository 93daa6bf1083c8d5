"""So many calls of a model, on the device: `python calls.py MODEL CALLS`. It needs numpy and onnxruntime alone."""

import os
import sys

import numpy as np
import onnxruntime as ort


def main(model: str, calls: int) -> None:
    """Answer the same random inputs, a batch of one on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    random, feeds = np.random.default_rng(0), {}
    for array in session.get_inputs():
        shape = [axis if isinstance(axis, int) else 1 for axis in array.shape]
        raw = array.type == "tensor(uint8)"
        feeds[array.name] = random.integers(0, 256, shape, np.uint8) if raw else random.random(shape, np.float32)
    for _ in range(calls):
        session.run(None, feeds)
    os._exit(0)  # What Python does at its end is none of a call, and differs from run to run.


main(sys.argv[1], int(sys.argv[2]))
