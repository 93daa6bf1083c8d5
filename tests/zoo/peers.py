"""The other ways from a `.keras` file to ONNX, as their users write them.

    python -m tests.zoo.peers tf2onnx|keras MODEL.keras MODEL.onnx

converts, and fails as the peer fails. `measure` runs that in a fresh process and judges the file.

Keras 3.15 refuses to export a model that it has just loaded ("has never called"). That says nothing about the model, so
that it is called once, and exported then; `uncalled` in the results keeps what the first try said.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.zoo.children import Limits, python, short
from tests.zoo.models import DYNAMIC_SIDE

PEERS = ("tf2onnx", "keras")
OPSET = 17
UNCALLED = "uncalled: "


def measure(peer: str, model: Path, reference: Path, limits: Limits) -> dict[str, Any]:
    """Convert with a peer and return `outcome`, `reason`, what it cost and what `comparison` finds.

    The outcomes are those of `comparison`, and ``"raises"``, ``"out of time"`` and ``"out of memory"``.
    """
    file = model.with_name(f"{peer}.onnx")
    ended = python("peers", peer, model, file, limits=limits)
    cost = ended.cost
    if first := [line.removeprefix(UNCALLED) for line in ended.stdout.splitlines() if line.startswith(UNCALLED)]:
        cost["uncalled"] = first[0]
    if ended.over:
        return {"outcome": f"out of {ended.over}", "reason": ended.reason, **cost}
    if ended.code != 0 or not file.is_file():
        return {"outcome": "raises", "reason": ended.reason, **cost}
    judged = python("comparison", file, reference, limits=limits)
    file.unlink()
    if judged.code != 0:
        return {"outcome": "does not load", "reason": judged.reason, **cost}
    found = json.loads(judged.stdout.splitlines()[-1])
    if unmapped := [line for line in ended.stderr.splitlines() if "Tensorflow op" in line and "not supported" in line]:
        found["reason"] = short(f"{found['reason']} (logged: {unmapped[0].split('Tensorflow op', 1)[1].strip()})")
    return {**found, **cost}


def convert(peer: str, model: Path, file: Path) -> None:
    """Convert in this process."""
    import keras

    loaded = keras.models.load_model(model, compile=False)
    if peer == "keras":
        _keras_export(loaded, file)
        return
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec(loaded.inputs[0].shape, tf.float32, name="image")]

    answer = tf.function(lambda image: {"out": loaded(image, training=False)}, input_signature=signature)
    tf2onnx.convert.from_function(answer, input_signature=signature, opset=OPSET, output_path=str(file))


def _keras_export(model: Any, file: Path) -> None:
    try:
        model.export(str(file), format="onnx", verbose=False)
    except ValueError as error:
        if "never called" not in str(error):
            raise
        print(f"{UNCALLED}{short(str(error))}")
        shape = [DYNAMIC_SIDE if axis is None else axis for axis in model.inputs[0].shape[1:]]
        model(np.zeros((1, *shape), np.float32), training=False)
        model.export(str(file), format="onnx", verbose=False)


if __name__ == "__main__":
    convert(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
