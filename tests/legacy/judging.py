"""A file of Keras 2, exported and held against the answers that Keras 2 gave when it wrote the file.

python -m tests.legacy.judging FOLDER FORMAT...
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeconv.conversion.keras import load_keras
from edgeconv.conversion.variants.context import VariantContext
from edgeconv.conversion.variants.making import make_variants
from edgeconv.errors import EdgeconvError
from tests.legacy.writing import ANSWERS, FORMATS, H5, KERAS, SAVED_MODEL

BY_KERAS3, BY_TF_KERAS, REFUSED, LIE, FAILED = "Keras 3", "tf-keras", "refused", "lie", "failed"

TOLERANCE = 1e-4
"""The largest difference over the spread of Keras 2's answers, as in `tests.layers`."""

FILES = {H5: "model.h5", KERAS: "model.keras", SAVED_MODEL: SAVED_MODEL}


@dataclass(frozen=True)
class Verdict:
    """How a file ended: who opened it, or the line of the refusal, or what is wrong."""

    outcome: str
    reason: str = ""


def judge(folder: Path, kind: str) -> Verdict:
    """Export a file of a case's folder, and compare the result with the answers that lie beside it."""
    import onnxruntime

    path = folder / FILES[kind]
    try:
        reference = load_keras(path, unsafe=kind == SAVED_MODEL)
        content = make_variants(VariantContext(reference)).fp32.bytes
    except EdgeconvError as error:
        return Verdict(REFUSED, str(error).replace(str(path), FILES[kind]))
    except Exception as error:  # What a user must never see.
        return Verdict(FAILED, f"traceback: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    by_tf_keras = any(type(layer).__name__ == "Keras2Model" for layer in reference.model.layers)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    inputs, wanted = _wanted(folder, kind)
    names = [port.name for port in session.get_inputs()]
    given = [np.asarray(answer) for answer in session.run(None, dict(zip(names, inputs, strict=True)))]
    wrong = _difference(wanted, given)
    return Verdict(LIE, wrong) if wrong else Verdict(BY_TF_KERAS if by_tf_keras else BY_KERAS3)


def _wanted(folder: Path, kind: str) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Return the inputs and the answers in the order of the file: a SavedModel's signature sorts its names."""
    with np.load(folder / ANSWERS, allow_pickle=False) as arrays:
        order = json.loads((folder / "order.json").read_text())
        inputs = [arrays[f"input_{index}"] for index in range(len(order["inputs"]))]
        answers = [arrays[f"answer_{index}"] for index in range(len(order["outputs"]))]
    if kind == SAVED_MODEL:
        inputs = [inputs[index] for index in _sorted(order["inputs"])]
        answers = [answers[index] for index in _sorted(order["outputs"])]
    return inputs, answers


def _sorted(names: list[str]) -> list[int]:
    return sorted(range(len(names)), key=names.__getitem__)


def _difference(wanted: list[NDArray[Any]], given: list[NDArray[Any]]) -> str:
    """Return what differs, or nothing."""
    if len(wanted) != len(given):
        return f"{len(given)} outputs instead of {len(wanted)}"
    for index, (one, other) in enumerate(zip(wanted, given, strict=True)):
        if one.shape != other.shape:
            return f"output {index} is {other.shape}, not {one.shape}"
        spread = float(np.ptp(one.astype(np.float64))) if one.size else 0.0
        error = float(np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)), initial=0.0))
        if not error <= TOLERANCE * (spread or 1.0):
            return f"output {index} differs from Keras 2 by {error / (spread or 1.0):.2g} of its spread"
    return ""


def main() -> None:
    """Judge every case of a folder; a line of standard output for each file."""
    import keras

    root, kinds = Path(sys.argv[1]), sys.argv[2:] or FORMATS
    for folder in sorted(path for path in root.iterdir() if (path / "order.json").is_file()):
        for kind in kinds:
            if (folder / FILES[kind]).exists():
                verdict = judge(folder, kind)
                print(json.dumps([folder.name, kind, verdict.outcome, verdict.reason]), flush=True)
        keras.backend.clear_session(free_memory=False)


if __name__ == "__main__":
    main()
